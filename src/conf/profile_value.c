// SPDX-License-Identifier: GPL-2.0-or-later
#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "profile_internal.h"
#include "wgns/str.h"

#define CAPABILITIES_ALL ((UINT64_C(1) << (CAP_LAST_CAP + 1)) - 1)
#define CAPABILITY_NAME_MAX 32

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

static bool has(const char *set, char c)
{
	return c && strchr(set, c);
}

/* letters, digits and what is in @others */
static bool consists_of(struct ini_span span, const char *others)
{
	for (size_t i = 0; i < span.len; i++) {
		if (!has(letters, span.s[i]) && !has(digits, span.s[i]) && !has(others, span.s[i]))
			return false;
	}
	return true;
}

static int take_yes(bool *out, struct ini_span value)
{
	*out = ini_is(value, "yes");
	return *out || ini_is(value, "no") ? 0 : -EINVAL;
}

/* Return: 0; -E2BIG after a complaint; -ENOMEM */
static int add(struct prof_reader *r, char ***list, size_t *n, struct ini_span item)
{
	if (*n == PROF_ITEMS_MAX) {
		keyfile_error(&r->file, item.s, "more than %d of them", PROF_ITEMS_MAX);
		return -E2BIG;
	}
	return str_list_add(list, n, item.s, item.len);
}

int prof_take_description(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	for (size_t i = 0; i < value.len; i++) {
		if ((unsigned char)value.s[i] < ' ' || value.s[i] == 0x7f) {
			keyfile_error(&r->file, value.s + i, "a control character");
			return 0;
		}
	}
	return ini_copy(r->p->description, sizeof(r->p->description), value);
}

int prof_take_box(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	if (!consists_of(value, "_.+-") || ini_is(value, ".") || ini_is(value, ".."))
		return -EINVAL;
	return ini_copy(r->p->box, sizeof(r->p->box), value);
}

int prof_take_group(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	if (!consists_of(value, "_.-") || (value.len && value.s[0] == '-'))
		return -EINVAL;
	return ini_copy(r->p->group, sizeof(r->p->group), value);
}

/* Return: the number of a capability, -1 for none */
static int find_capability(struct ini_span word)
{
	char name[CAPABILITY_NAME_MAX];

	if (word.len > 4 && strncasecmp(word.s, "cap_", 4) == 0)
		word = (struct ini_span){ word.s + 4, word.len - 4 };
	if (ini_copy(name, sizeof(name), word) < 0)
		return -1;
	return capng_name_to_capability(name);
}

int prof_take_capabilities(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;
	struct ini_span word, rest = value;
	char shown[INI_SHOW_MAX];

	if (ini_is(value, "all"))
		r->p->capabilities = CAPABILITIES_ALL;
	if (ini_is(value, "all") || ini_is(value, "none"))
		return 0;
	while (ini_word(&rest, "", &word)) {
		int number = find_capability(word);
		if (number >= 0 && number < 64)
			r->p->capabilities |= UINT64_C(1) << number;
		else if (ini_is(word, "all") || ini_is(word, "none"))
			keyfile_error(&r->file, word.s, "%s stands alone", ini_show(word, shown));
		else
			keyfile_error(&r->file, word.s, "unknown capability %s",
				      ini_show(word, shown));
	}
	return value.len ? 0 : -EINVAL;
}

int prof_take_no_new_privs(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	r->no_new_privs.line = r->file.line.number;
	r->no_new_privs.col = ini_col(&r->file.line, r->file.line.key.s);
	return take_yes(&r->p->has_no_new_privs, value);
}

int prof_take_system_bus(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;
	bool is_visible;
	int rc = take_yes(&is_visible, value);

	r->p->hides_bus = !is_visible;
	return rc;
}

int prof_take_browser(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	r->p->is_fresh = ini_is(value, "fresh");
	return r->p->is_fresh || ini_is(value, "as-is") ? 0 : -EINVAL;
}

int prof_take_listen(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	return take_yes(&r->p->may_listen, value);
}

static bool is_variable(struct ini_span name)
{
	return name.len && !has(digits, name.s[0]) && consists_of(name, "_");
}

int prof_take_environment(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;
	const char *equals = value.len ? memchr(value.s, '=', value.len) : NULL;

	if (!equals || !is_variable((struct ini_span){ value.s, (size_t)(equals - value.s) }))
		return -EINVAL;
	return add(r, &r->p->env, &r->p->n_env, value);
}

int prof_take_unset(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;
	struct ini_span word, rest = value;
	char shown[INI_SHOW_MAX];

	while (ini_word(&rest, "", &word)) {
		if (!is_variable(word)) {
			keyfile_error(&r->file, word.s, "%s is not the name of a variable",
				      ini_show(word, shown));
			continue;
		}
		int rc = add(r, &r->p->unset, &r->p->n_unset, word);
		if (rc < 0)
			return rc;
	}
	return value.len ? 0 : -EINVAL;
}

int prof_take_command(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;
	struct ini_span word, rest = value;

	if (!ini_word(&rest, "", &word) || word.s[0] != '/' || word.s[word.len - 1] == '/')
		return -EINVAL;
	if (memchr(word.s, '=', word.len)) {
		keyfile_error(&r->file, word.s,
			      "a path with `=': env(1) would take it for a variable");
		return 0;
	}
	while (ini_word(&value, "", &word)) {
		int rc = add(r, &r->p->command, &r->p->n_command, word);
		if (rc < 0)
			return rc;
	}
	return 0;
}
