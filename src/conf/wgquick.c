// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two readers look at every file: wg-quick takes its own keys after a line that is exactly [Interface],
 * and gives all other lines to wg, which follows the sections by itself. Both are followed here.
 */
#include "wgns/wgquick.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wgquick_internal.h"

const char *const wgq_key_names[WGQ_N_KEYS] = {
	[WGQ_PRE_UP] = "PreUp",
	[WGQ_POST_UP] = "PostUp",
	[WGQ_PRE_DOWN] = "PreDown",
	[WGQ_POST_DOWN] = "PostDown",
	[WGQ_ADDRESS] = "Address",
	[WGQ_DNS] = "DNS",
	[WGQ_MTU] = "MTU",
	[WGQ_TABLE] = "Table",
	[WGQ_SAVE_CONFIG] = "SaveConfig",
};

enum wgq_key wgq_key_find(const struct ini_line *line)
{
	for (unsigned i = 0; i < WGQ_N_KEYS; i++) {
		if (ini_is(line->key, wgq_key_names[i]))
			return (enum wgq_key)i;
	}
	return WGQ_N_KEYS;
}

static __attribute__((format(printf, 4, 0))) void
add_diag(struct wgq_reader *r, enum diag_level level, const char *at, const char *fmt, va_list ap)
{
	char text[400];

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	diag_add(r->diags, level, r->line->number, ini_col(r->line, at), "%s", text);
}

void wgq_error(struct wgq_reader *r, const char *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_diag(r, DIAG_ERROR, at, fmt, ap);
	va_end(ap);
}

void wgq_warn(struct wgq_reader *r, const char *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_diag(r, DIAG_WARNING, at, fmt, ap);
	va_end(ap);
}

void wgq_place_add(struct wgq_reader *r, struct wgq_places *places, const struct addr *a,
		   const char *at)
{
	size_t n = places->n;

	if ((n & (n - 1)) == 0) {
		struct wgq_place *items =
			reallocarray(places->items, n ? 2 * n : 1, sizeof(*items));
		if (!items) {
			r->is_out_of_memory = true;
			return;
		}
		places->items = items;
	}
	places->items[n] = (struct wgq_place){
		.addr = *a,
		.peer = r->section == WGQ_PEER ? (uint32_t)(r->conf->device.n_peers - 1) : 0,
		.line = r->line->number,
		.col = ini_col(r->line, at),
	};
	places->n = n + 1;
}

/* bash drops NUL bytes, and so the file means what is left; one warning for all of them */
static const char *without_nuls(const char *text, size_t *len, char **owned,
				struct diag_list *diags)
{
	const char *nul = *len ? memchr(text, '\0', *len) : NULL;
	unsigned line = 1;
	size_t n = 0;

	if (!nul)
		return text;
	char *copy = malloc(*len);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < *len; i++) {
		if (text[i])
			copy[n++] = text[i];
	}

	const char *start = text;
	for (const char *p = text; p < nul; p++) {
		if (*p == '\n') {
			line++;
			start = p + 1;
		}
	}
	diag_add(diags, DIAG_WARNING, line, (unsigned)(nul - start) + 1,
		 "%zu NUL bytes in the file are ignored, as wg-quick does; is it a text file?",
		 *len - n);
	*owned = copy;
	*len = n;
	return copy;
}

/* wg-quick(8): any line with a `[` first ends the section, only this one begins it */
static void follow_quick(bool *is_quick, const struct ini_line *line)
{
	if (line->is_section)
		*is_quick = ini_is(line->key, "[Interface]");
}

static void read_line(struct wgq_reader *r)
{
	follow_quick(&r->is_quick, r->line);
	if (r->is_quick) {
		enum wgq_key key = wgq_key_find(r->line);
		if (key != WGQ_N_KEYS) {
			wgq_take_quick(r, key);
			return;
		}
	}
	strbuf_add(&r->stripped, r->line->raw.s, r->line->raw.len);
	strbuf_add(&r->stripped, "\n", 1);
	if (r->line->text.len)
		wgq_take_wg(r);
}

/* what wg-quick or wg would trip over without saying why */
static bool is_encoding_known(const char *text, size_t len, struct diag_list *diags)
{
	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
		diag_add(diags, DIAG_ERROR, 1, 1, "UTF-16 text: save the file as UTF-8");
		return false;
	}
	return true;
}

static void read_all(struct wgq_reader *r, const char *text, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct ini_line line;
	struct ini ini;

	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		diag_add(r->diags, DIAG_ERROR, 1, 1,
			 "the file begins with a UTF-8 byte order mark, which hides the first "
			 "line from wg-quick: save it without");
		text += 3;
		len -= 3;
	}
	ini_begin(&ini, text, len);
	r->line = &line;
	while (!r->is_out_of_memory && ini_next(&ini, &line))
		read_line(r);
	r->line = NULL;
	if (!r->is_out_of_memory)
		wgq_check_all(r);
	strbuf_add(&r->stripped, "\n", 1); /* wg-quick prints it with echo */
}

int wgquick_parse(const char *text, size_t len, const char *name, struct wgquick *out,
		  struct diag_list *diags)
{
	struct wgquick conf = { 0 };
	struct wgq_reader r = { .conf = &conf, .diags = diags };
	size_t n_errors = diags->n_errors;
	char *copy = NULL;

	if (!is_encoding_known(text, len, diags))
		return -EINVAL;
	size_t cap = len;
	const char *clean = without_nuls(text, &len, &copy, diags);
	if (!clean)
		return -ENOMEM;
	(void)snprintf(conf.name, sizeof(conf.name), "%s", name);
	(void)snprintf(conf.device.name, sizeof(conf.device.name), "%s", name);
	read_all(&r, clean, len);
	conf.stripped_len = r.stripped.len;
	conf.stripped = strbuf_finish(&r.stripped);

	str_wipe(copy, copy ? cap : 0);
	free(copy);
	free(r.peer_lines);
	free(r.addresses.items);
	free(r.allowed_ips.items);
	if (conf.stripped && !r.is_out_of_memory && diags->n_errors == n_errors) {
		*out = conf;
		return 0;
	}
	int rc = conf.stripped && !r.is_out_of_memory ? -EINVAL : -ENOMEM;
	wgquick_free(&conf);
	return rc;
}

int wgquick_strip(const char *text, size_t len, char **out, size_t *out_len,
		  struct diag_list *diags)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	size_t cap = len, n_errors = diags->n_errors;
	struct ini_line line;
	bool is_quick = false;
	char *copy = NULL;
	struct ini ini;

	const char *clean = without_nuls(text, &len, &copy, diags);
	if (!clean)
		return -ENOMEM;
	ini_begin(&ini, clean, len);
	while (ini_next(&ini, &line)) {
		follow_quick(&is_quick, &line);
		enum wgq_key key = is_quick ? wgq_key_find(&line) : WGQ_N_KEYS;
		if (key == WGQ_N_KEYS) {
			strbuf_add(&b, line.raw.s, line.raw.len);
			strbuf_add(&b, "\n", 1);
		} else if (key == WGQ_SAVE_CONFIG && !ini_is(line.value, "true") &&
			   !ini_is(line.value, "false")) {
			diag_add(diags, DIAG_ERROR, line.number, ini_col(&line, line.value.s),
				 "SaveConfig is true or false");
		}
	}
	strbuf_add(&b, "\n", 1);
	str_wipe(copy, copy ? cap : 0);
	free(copy);

	size_t total = b.len;
	char *result = strbuf_finish(&b);
	if (!result)
		return -ENOMEM;
	if (diags->n_errors > n_errors) {
		str_wipe(result, total);
		free(result);
		return -EINVAL;
	}
	*out = result;
	*out_len = total;
	return 0;
}

void wgquick_free(struct wgquick *conf)
{
	wg_device_free(&conf->device);
	free(conf->addresses);
	free(conf->dns);
	str_list_free(&conf->search, &conf->n_search);
	for (unsigned i = 0; i < WGQUICK_N_HOOKS; i++)
		str_list_free(&conf->hooks[i], &conf->n_hooks[i]);
	if (conf->stripped)
		str_wipe(conf->stripped, conf->stripped_len);
	free(conf->stripped);
	*conf = (struct wgquick){ 0 };
}
