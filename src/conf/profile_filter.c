// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "profile_internal.h"
#include "wgns/str.h"

#define CALL_NAME_MAX 64
#define CALL_NUMBER_MAX 1024 /* the kernel has less than 500 today */
#define N_EXPLAINED_MAX 20 /* searching for the nearest name takes its time */

/*
 * A text whose words are being taken: the value of a key, or a list. Lists name lists, so there is a stack of these and
 * no recursion.
 */
struct source {
	const char *name; /* of the list, as in prof_calls.lists */
	struct diag_list own; /* problems of a list go by its own file name */
	struct diag_list *diags;
	struct ini ini;
	struct ini_line line;
	struct ini_span rest; /* of the line */
};

struct expansion {
	struct prof_reader *r;
	struct prof_calls *calls;
	struct source stack[PROF_DEPTH_MAX + 1];
	size_t n;
};

static struct source *top(struct expansion *x)
{
	return &x->stack[x->n - 1];
}

static void complain(struct expansion *x, const char *before, struct ini_span word,
		     const char *after)
{
	struct source *s = top(x);
	char shown[INI_SHOW_MAX];

	diag_add(s->diags, DIAG_ERROR, s->line.number, ini_col(&s->line, word.s), "%s%s%s", before,
		 ini_show(word, shown), after);
}

static bool is_same(const char *name, struct ini_span span)
{
	return strlen(name) == span.len && memcmp(name, span.s, span.len) == 0;
}

static bool has_name(char *const *names, size_t n, struct ini_span name)
{
	for (size_t i = 0; i < n; i++) {
		if (is_same(names[i], name))
			return true;
	}
	return false;
}

/* what a misspelt name may have meant: libseccomp has no list of names, but it knows them by number */
static void explain_call(struct expansion *x, struct ini_span name)
{
	struct source *s = top(x);
	char **known = NULL;
	size_t n = 0;

	bool is_explained = x->r->n_explained++ < N_EXPLAINED_MAX;
	for (int i = 0; is_explained && i < CALL_NUMBER_MAX; i++) {
		AUTO_FREE char *found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
		if (found && str_list_add(&known, &n, found, strlen(found)) < 0)
			break; /* the message is a little poorer */
	}
	const char *nearest = ini_nearest(name, (const char *const *)known, n);
	if (nearest)
		diag_add(s->diags, DIAG_ERROR, s->line.number, ini_col(&s->line, name.s),
			 "unknown system call; perhaps meant: %s", nearest);
	else
		complain(x, "unknown system call ", name, "");
	str_list_free(&known, &n);
}

static bool is_known(struct ini_span name)
{
	char text[CALL_NAME_MAX];

	return ini_copy(text, sizeof(text), name) == 0 &&
	       seccomp_syscall_resolve_name(text) != __NR_SCMP_ERROR;
}

/* at least, as far as it is written */
static bool could_be_known(struct ini_span name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	for (size_t i = 0; i < name.len; i++) {
		if (!memchr(allowed, name.s[i], sizeof(allowed) - 1))
			return false;
	}
	return name.len > 0;
}

static int add_call(struct expansion *x, struct ini_span word)
{
	struct prof_calls *calls = x->calls;
	bool is_optional = word.s[0] == '?';
	struct ini_span name = { word.s + is_optional, word.len - is_optional };

	if (is_optional && calls == &x->r->deny) {
		/* what cannot be denied must not look as if it were */
		complain(x, "", word, ": only Allow can pass over a name that is unknown");
		return 0;
	}
	if (!is_known(name)) {
		if (!is_optional || !could_be_known(name))
			explain_call(x, name);
		return 0;
	}
	/* each of them once, so there are no more than libseccomp knows */
	if (has_name(*calls->names, *calls->n_names, name))
		return 0;
	return str_list_add(calls->names, calls->n_names, name.s, name.len);
}

/* is @list one of those that led here? */
static bool is_loop(const struct expansion *x, struct ini_span list)
{
	for (size_t i = 1; i < x->n; i++) {
		if (is_same(x->stack[i].name, list))
			return true;
	}
	return false;
}

/* why the list cannot be read here, NULL: it can */
static const char *refuse_list(const struct expansion *x, struct ini_span list)
{
	if (!prof_is_name(list))
		return " is not the name of a list";
	if (is_loop(x, list))
		return " is a loop: this list is being read already";
	if (has_name(x->calls->lists, x->calls->n_lists, list))
		return NULL;
	if (x->n > PROF_DEPTH_MAX)
		return " is too deep: 8 lists lead here";
	if (x->calls->n_lists == PROF_LISTS_MAX)
		return " is one more than 64 lists";
	return NULL;
}

static int begin_list(struct expansion *x, struct ini_span word)
{
	struct ini_span list = { word.s + 1, word.len - 1 };
	const struct profile_source *source = x->r->source;
	struct prof_calls *calls = x->calls;
	const char *why = refuse_list(x, list), *file = NULL, *text = NULL;
	size_t len = 0;

	if (why) {
		complain(x, "", word, why);
		return 0;
	}
	if (has_name(calls->lists, calls->n_lists, list))
		return 0;
	if (str_list_add(&calls->lists, &calls->n_lists, list.s, list.len) < 0)
		return -ENOMEM;
	const char *name = calls->lists[calls->n_lists - 1];
	int rc = source ? source->list(source->ctx, name, &file, &text, &len) : -ENOENT;
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		complain(x, "", word,
			 rc == -ENOENT ? ": there is no such list" : ": the list cannot be used");
		return 0;
	}
	struct source *s = &x->stack[x->n++];
	*s = (struct source){
		.name = name, .own = { .file = file }, .diags = &s->own, .rest = { text, 0 }
	};
	ini_begin(&s->ini, text, len);
	return 0;
}

/* the next word of the stack's top; false: there the text has ended */
static bool next_word(struct expansion *x, struct ini_span *word)
{
	struct source *s = top(x);

	while (!ini_word(&s->rest, "", word)) {
		/* the value of a key is one line */
		if (x->n == 1 || !ini_next(&s->ini, &s->line))
			return false;
		if (keyfile_check_line(&s->line, s->diags))
			s->rest = s->line.text;
	}
	return true;
}

static int expand(struct expansion *x)
{
	struct ini_span word;
	int rc = 0;

	while (x->n && rc == 0) {
		if (!next_word(x, &word))
			diag_move(x->r->file.diags, &x->stack[--x->n].own);
		else if (word.s[0] == '@')
			rc = begin_list(x, word);
		else
			rc = add_call(x, word);
	}
	while (x->n)
		diag_free(&x->stack[--x->n].own);
	return rc;
}

static int take_calls(struct prof_reader *r, struct prof_calls *calls, struct ini_span value)
{
	struct expansion x = { .r = r, .calls = calls, .n = 1 };

	if (value.len == 0)
		return -EINVAL;
	if (!calls->line) {
		calls->line = r->file.line.number;
		calls->col = ini_col(&r->file.line, value.s);
	}
	x.stack[0].diags = r->file.diags;
	x.stack[0].line = r->file.line;
	x.stack[0].rest = value;
	return expand(&x);
}

int prof_take_allow(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	return take_calls(r, &r->allow, value);
}

int prof_take_deny(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;

	return take_calls(r, &r->deny, value);
}

void prof_check_filter(struct prof_reader *r)
{
	static const struct ini_span execve = { "execve", sizeof("execve") - 1 };
	static const char text[] = "without execve the program cannot be started";

	/* also when all of its lists are empty: no names at all would mean that everything is allowed */
	if (r->allow.line && !has_name(r->p->allow, r->p->n_allow, execve))
		diag_add(r->file.diags, DIAG_ERROR, r->allow.line, r->allow.col, "%s", text);
	if (r->deny.line && has_name(r->p->deny, r->p->n_deny, execve))
		diag_add(r->file.diags, DIAG_ERROR, r->deny.line, r->deny.col, "%s", text);
	/* the filter is loaded when everything else is given up: seccomp(2) */
	if (profile_has_filter(r->p) && !r->p->has_no_new_privs &&
	    !(r->p->capabilities & 1ULL << CAP_SYS_ADMIN))
		diag_add(r->file.diags, DIAG_ERROR, r->no_new_privs.line, r->no_new_privs.col,
			 "a filter needs no_new_privs, or sys_admin among Capabilities");
}

void prof_calls_free(struct prof_calls *calls)
{
	str_list_free(&calls->lists, &calls->n_lists);
}

static const struct {
	const char *name;
	int number;
} families[] = {
	{ "unix", AF_UNIX },	   { "inet", AF_INET },	    { "inet6", AF_INET6 },
	{ "netlink", AF_NETLINK }, { "packet", AF_PACKET }, { "bluetooth", AF_BLUETOOTH },
	{ "vsock", AF_VSOCK },	   { "alg", AF_ALG },	    { "can", AF_CAN },
};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

static void add_family(struct prof_reader *r, struct ini_span word)
{
	struct profile *p = r->p;
	char shown[INI_SHOW_MAX];
	size_t i = 0;

	while (i < N_FAMILIES && !ini_is(word, families[i].name))
		i++;
	if (i == N_FAMILIES && ini_is(word, "none"))
		keyfile_error(&r->file, word.s, "%s stands alone", ini_show(word, shown));
	else if (i == N_FAMILIES)
		keyfile_error(&r->file, word.s, "unknown address family %s", ini_show(word, shown));
	if (i == N_FAMILIES)
		return;
	for (size_t k = 0; k < p->n_families; k++) {
		if (p->families[k] == families[i].number)
			return;
	}
	p->families[p->n_families++] = families[i].number;
}

int prof_take_families(void *ctx, struct ini_span value)
{
	struct prof_reader *r = ctx;
	struct ini_span word;

	if (value.len == 0)
		return -EINVAL;
	r->p->has_families = true;
	if (ini_is(value, "none"))
		return 0;
	r->p->families = calloc(N_FAMILIES, sizeof(*r->p->families));
	if (!r->p->families)
		return -ENOMEM;
	while (ini_word(&value, "", &word))
		add_family(r, word);
	return 0;
}
