// SPDX-License-Identifier: GPL-2.0-or-later
/* any bytes as a profile, and behind each byte 0x1e as a list: @a, @b, ... */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wgns/profile.h"

#define SEPARATOR 0x1e
#define N_LISTS_MAX 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct texts {
	const char *at[1 + N_LISTS_MAX];
	size_t len[1 + N_LISTS_MAX];
	size_t n;
};

static void cut(const char *text, size_t len, struct texts *out)
{
	while (out->n <= N_LISTS_MAX) {
		const char *end = len ? memchr(text, SEPARATOR, len) : NULL;
		out->at[out->n] = text;
		out->len[out->n++] = end ? (size_t)(end - text) : len;
		if (!end)
			return;
		len -= (size_t)(end - text) + 1;
		text = end + 1;
	}
}

static int give_list(void *ctx, const char *name, const char **file, const char **text, size_t *len)
{
	const struct texts *texts = ctx;
	size_t i = (size_t)(name[0] - 'a') + 1;

	if (name[0] < 'a' || name[1] || i >= texts->n)
		return -ENOENT;
	*file = "fuzz.list";
	*text = texts->at[i];
	*len = texts->len[i];
	return 0;
}

/* no string twice, none empty */
static void check_names(char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!names[i][0])
			abort();
		for (size_t k = 0; k < i; k++) {
			if (strcmp(names[i], names[k]) == 0)
				abort();
		}
	}
}

static bool has_name(char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static void check(const struct profile *p)
{
	if ((p->families && !p->has_families) || p->n_families > 9)
		abort();
	if (p->n_allow && !has_name(p->allow, p->n_allow, "execve"))
		abort();
	if (has_name(p->deny, p->n_deny, "execve"))
		abort();
	if (strchr(p->box, '/') || p->group[0] == '-' || strchr(p->description, '\n'))
		abort();
	if (p->n_command && p->command[0][0] != '/')
		abort();
	for (size_t i = 0; i < p->n_env; i++) {
		if (!strchr(p->env[i], '='))
			abort();
	}
	if (profile_has_filter(p) && !profile_needs_helper(p))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct texts texts = { .n = 0 };
	const struct profile_source source = { .list = give_list, .ctx = &texts };
	struct diag_list diags = { .file = "fuzz.profile" };
	struct profile p;
	char line[1024];

	cut((const char *)data, len, &texts);
	profile_init(&p);
	int rc = profile_parse(texts.at[0], texts.len[0], &source, &p, &diags);
	if ((rc == 0) == (diags.n_errors > 0))
		abort();
	check_names(p.allow, p.n_allow);
	check_names(p.deny, p.n_deny);
	if (rc == 0)
		check(&p);
	for (size_t i = 0; i < diags.n_items; i++)
		diag_format(&diags, &diags.items[i], line, sizeof(line));
	diag_free(&diags);
	profile_free(&p);
	return 0;
}
