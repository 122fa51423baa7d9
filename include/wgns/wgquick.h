/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wgquick - wg-quick(8) files
 *
 * Accepts what wg-quick and wg accept and means the same by it, with the differences
 * listed under DIFFERENCES in wgns(8).
 */
#ifndef WGNS_WGQUICK_H
#define WGNS_WGQUICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wgns/addr.h"
#include "wgns/diag.h"
#include "wgns/err.h"
#include "wgns/wg.h"

#define WGQUICK_FILE_MAX (64u << 20) /* bytes; 10,000 peers are about 2 MiB */

enum wgquick_table { WGQUICK_TABLE_AUTO, WGQUICK_TABLE_OFF, WGQUICK_TABLE_NUMBER };
enum wgquick_hook {
	WGQUICK_PRE_UP,
	WGQUICK_POST_UP,
	WGQUICK_PRE_DOWN,
	WGQUICK_POST_DOWN,
	WGQUICK_N_HOOKS
};

struct wgquick {
	char name[IFNAMSIZ]; /* of the interface, from the file's name */
	struct wg_device device; /* keys, port, mark, peers; endpoints unresolved */
	struct addr *addresses;
	size_t n_addresses;
	struct addr *dns;
	size_t n_dns;
	char **search; /* search domains of DNS= */
	size_t n_search;
	uint32_t mtu; /* 0: automatic */
	enum wgquick_table table;
	uint32_t table_number;
	char **hooks[WGQUICK_N_HOOKS]; /* %i not yet replaced */
	size_t n_hooks[WGQUICK_N_HOOKS];
	bool should_save; /* SaveConfig = true */
	char *stripped; /* what wg-quick strip prints: wg's part, verbatim, holds keys */
	size_t stripped_len;
};

/**
 * wgquick_parse - read a whole file
 * @text: @len bytes, may hold anything
 * @name: interface name, already checked with wgquick_name_from_path()
 * @diags: receives every error and warning; its file member is set by the caller
 *
 * A Table= that is a name is looked up in iproute2's rt_tables files, a port that is a name with
 * getservbyname(3); apart from that the result depends on @text alone.
 *
 * Return: 0, -EINVAL when there is an error among @diags (@out then holds nothing), or -ENOMEM.
 */
int wgquick_parse(const char *text, size_t len, const char *name, struct wgquick *out,
		  struct diag_list *diags);
/**
 * wgquick_strip - what `wg-quick strip` prints, which does not look at wg's part
 * @out: owned, holds keys
 *
 * Return: 0, -EINVAL when SaveConfig is neither true nor false, or -ENOMEM.
 */
int wgquick_strip(const char *text, size_t len, char **out, size_t *out_len,
		  struct diag_list *diags);
void wgquick_free(struct wgquick *conf);

/**
 * wgquick_resolve_path - TUNNEL or FILE.conf as the user wrote it -> path and interface name
 * @arg:  [a-zA-Z0-9_=+.-]{1,15} means DIR/ARG.conf, else a path (wg-quick(8))
 * @dir:  normally "/etc/wireguard"
 * @path: owned on success
 *
 * Return: 0, or -EINVAL with the rule that the name breaks (16 characters, "..", no .conf).
 */
int wgquick_resolve_path(const char *arg, const char *dir, char **path, char name[IFNAMSIZ],
			 struct err *e);

/**
 * wgquick_table_by_name - a routing table's number as iproute2 knows it
 * @dirs: @n_dirs folders with rt_tables and rt_tables.d; the first that knows the name wins
 *
 * Return: 0 or -ENOENT
 */
int wgquick_table_by_name(const char *const *dirs, size_t n_dirs, const char *name, uint32_t *out);

/** What fstat(2) says of the file that was parsed and of the folders above it. */
struct wgquick_file {
	char *text;
	size_t len;
	bool is_trusted; /* root's, as is every folder above it, and writable by root only: hooks may run */
	char untrusted[160]; /* why not, for the message */
	unsigned long long dev, ino;
};

/**
 * wgquick_read - open, check, read
 * @diags: warnings: world- or group-readable file (key exposure), group-writable file
 *
 * Symlinks are followed, and what is checked is the file that was opened. A folder, FIFO, device or
 * symlink loop is an error and never blocks.
 *
 * Return: 0 or -errno
 */
int wgquick_read(const char *path, struct wgquick_file *out, struct diag_list *diags,
		 struct err *e);
void wgquick_file_free(struct wgquick_file *file);

/** wgquick_print_wg - the device as `wg showconf` prints it; Return: owned text, or NULL without memory */
char *wgquick_print_wg(const struct wg_device *dev);

/**
 * wgquick_print_saved - the file that SaveConfig writes: wg-quick's keys of @conf with @addresses from
 * the live link, then the live @dev as wg showconf prints it
 * Return: owned text, or NULL without memory
 */
char *wgquick_print_saved(const struct wgquick *conf, const struct addr *addresses,
			  size_t n_addresses, const struct wg_device *dev);

#endif
