/* SPDX-License-Identifier: GPL-2.0-or-later */
/* what the files of the wg-quick reader share */
#ifndef WGNS_WGQUICK_INTERNAL_H
#define WGNS_WGQUICK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/ini.h"
#include "wgns/str.h"
#include "wgns/wgquick.h"

enum wgq_section { WGQ_NONE, WGQ_INTERFACE, WGQ_PEER, WGQ_UNKNOWN };

/* wg-quick's own keys; the hooks first, in the order of enum wgquick_hook */
enum wgq_key {
	WGQ_PRE_UP,
	WGQ_POST_UP,
	WGQ_PRE_DOWN,
	WGQ_POST_DOWN,
	WGQ_ADDRESS,
	WGQ_DNS,
	WGQ_MTU,
	WGQ_TABLE,
	WGQ_SAVE_CONFIG,
	WGQ_N_KEYS
};

/* an address of the file and where it stands, for the checks over all lines */
struct wgq_place {
	struct addr addr;
	uint32_t peer; /* index; 0 for Address */
	uint32_t line, col;
};

struct wgq_places {
	struct wgq_place *items;
	size_t n;
};

struct wgq_reader {
	struct wgquick *conf;
	struct diag_list *diags;
	const struct ini_line *line;
	bool is_quick; /* wg-quick takes keys: after an exact [Interface] */
	enum wgq_section section; /* where wg is */
	unsigned section_line;
	struct wg_peer *peer; /* of the current [Peer] */
	bool has_public_key;
	uint32_t *peer_lines; /* one per peer */
	struct wgq_places addresses, allowed_ips;
	unsigned mtu_line, mtu_col, dns_line, dns_col;
	struct strbuf stripped;
	bool is_out_of_memory;
};

/* wgquick.c */
extern const char *const wgq_key_names[WGQ_N_KEYS];
/** wgq_key_find - which of wg-quick's keys is this line, WGQ_N_KEYS for none */
enum wgq_key wgq_key_find(const struct ini_line *line);
/** wgq_error, wgq_warn - about the byte @at of the current line */
void wgq_error(struct wgq_reader *r, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void wgq_warn(struct wgq_reader *r, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void wgq_place_add(struct wgq_reader *r, struct wgq_places *places, const struct addr *a,
		   const char *at);

/* wgquick_quick.c: Address, DNS, MTU, Table, hooks, SaveConfig */
void wgq_take_quick(struct wgq_reader *r, enum wgq_key key);

/* wgquick_wg.c: everything else */
void wgq_take_wg(struct wgq_reader *r);
/** wgq_end_wg - the file has ended */
void wgq_end_wg(struct wgq_reader *r);
/** wgq_squeeze - @span without any white space, NUL-terminated; Return: 0 or -E2BIG */
int wgq_squeeze(struct ini_span span, char *buf, size_t cap);

/* wgquick_peer.c */
void wgq_take_allowed_ips(struct wgq_reader *r);
void wgq_take_endpoint(struct wgq_reader *r);

/* wgquick_names.c */
/** wgq_port - a number or the name of an UDP service; Return: 0, -ERANGE or -EINVAL */
int wgq_port(const char *text, uint16_t *out);
/** wgq_number - as iproute2 reads one: decimal, 0x hexadecimal, 0 octal; Return: 0, -ERANGE or -EINVAL */
int wgq_number(const char *text, uint32_t *out);

/* wgquick_check.c: what only the whole file shows */
void wgq_check_all(struct wgq_reader *r);

#endif
