// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "wgns/profile.h"
#include "wgns/str.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(number) (UINT64_C(1) << (number))

/* lists that are in no file; the names of their files as they would be */
static const struct {
	const char *name, *file, *text;
} lists[] = {
	{ "base", "base.list", "# words\nread write # two\n\n  execve\n" },
	{ "net", "net.list", "@base socket\n" },
	{ "twice", "twice.list", "@net @base @net\nread\n" },
	{ "empty", "empty.list", "# nothing\n" },
	{ "crlf", "crlf.list", "read\r\nexecve\r\n" },
	{ "wrong", "wrong.list", "read\n  sockett frobnicate_it_all\n" },
	{ "missing", "missing.list", "execve @nowhere\n" },
	{ "self", "self.list", "execve\n@self\n" },
	{ "here", "here.list", "execve @there\n" },
	{ "there", "there.list", "read @here\n" },
	{ "bom", "bom.list", "\xef\xbb\xbfread\nexecve\n" },
	{ "newer", "newer.list", "execve ?read ?frobnicate9\n" },
	{ "d1", "d1.list", "@d2" },
	{ "d2", "d2.list", "@d3" },
	{ "d3", "d3.list", "@d4" },
	{ "d4", "d4.list", "@d5" },
	{ "d5", "d5.list", "@d6" },
	{ "d6", "d6.list", "@d7" },
	{ "d7", "d7.list", "@d8" },
	{ "d8", "d8.list", "execve" },
	{ "d0", "d0.list", "@d1" },
};

static int give_list(void *ctx, const char *name, const char **file, const char **text, size_t *len)
{
	unsigned *n_asked = ctx;

	(*n_asked)++;
	for (size_t i = 0; i < N(lists); i++) {
		if (strcmp(lists[i].name, name) != 0)
			continue;
		*file = lists[i].file;
		*text = lists[i].text;
		*len = strlen(lists[i].text);
		return 0;
	}
	if (strcmp(name, "nul") == 0) {
		*file = "nul.list";
		*text = "re\0ad";
		*len = 5;
		return 0;
	}
	/* as many as one asks for */
	*file = "many.list";
	*text = "read";
	*len = 4;
	return strncmp(name, "many", 4) == 0 ? 0 : strcmp(name, "secret") == 0 ? -EPERM : -ENOENT;
}

static int parse_bytes(const char *text, size_t len, struct profile *p, struct diag_list *diags)
{
	unsigned n_asked = 0;
	const struct profile_source source = { .list = give_list, .ctx = &n_asked };

	profile_init(p);
	diags->file = "x.profile";
	return profile_parse(text, len, &source, p, diags);
}

static int parse(const char *text, struct profile *p, struct diag_list *diags)
{
	return parse_bytes(text, strlen(text), p, diags);
}

/* @expected: the strings with a blank behind each */
static void assert_list(char *const *list, size_t n, const char *expected)
{
	AUTO_STRBUF struct strbuf b = { 0 };

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&b, "%s ", list[i]);
	AUTO_FREE char *text = strbuf_finish(&b);
	assert_string_equal(text, expected);
}

static void test_profile_defaults(void **state)
{
	struct diag_list diags = { 0 };
	struct profile p;

	(void)state;
	assert_int_equal(parse("\n# nothing\n[Profile]\n[Filter]\n", &p, &diags), 0);
	assert_null(p.path);
	assert_string_equal(p.description, "");
	assert_string_equal(p.box, "");
	assert_string_equal(p.group, "");
	assert_true(p.capabilities == 0);
	assert_true(p.has_no_new_privs);
	assert_false(p.hides_bus);
	assert_false(p.is_fresh);
	assert_true(p.may_listen);
	assert_int_equal(p.n_env + p.n_unset + p.n_command, 0);
	assert_int_equal(p.n_allow + p.n_deny + p.n_families, 0);
	assert_false(p.has_families);
	assert_false(profile_is_for_root(&p));
	assert_false(profile_has_filter(&p));
	assert_false(profile_needs_helper(&p));
	profile_free(&p);
}

static void test_profile_values(void **state)
{
	static const char text[] =
		"[profile]\n"
		"description = a word, \xc3\xa4nd = more # not this\n"
		"Box=home\n"
		"Group = net.admins-2\n"
		"CAPABILITIES = net_admin CAP_NET_RAW Cap_Sys_Admin net_raw\n"
		"NoNewPrivs = NO\n"
		"SystemBus = no\n"
		"Browser = Fresh\n"
		"Listen = no\n"
		"Environment = A=b c=d\n"
		"Environment = _X9=\n"
		"Unset = ONE two\n"
		"Unset = _\n"
		"Command = /usr/bin/nice\t-n  5\n"
		"[FILTER]\n"
		"Allow = read execve\n"
		"Allow = write read open\n"
		"Deny = ptrace\n"
		"Deny = write\n"
		"Families = UNIX inet inet6 netlink packet bluetooth vsock alg can inet\n";
	static const int families[] = { AF_UNIX,      AF_INET,	AF_INET6, AF_NETLINK, AF_PACKET,
					AF_BLUETOOTH, AF_VSOCK, AF_ALG,	  AF_CAN };
	struct diag_list diags = { 0 };
	struct profile p;

	(void)state;
	assert_int_equal(parse(text, &p, &diags), 0);
	assert_string_equal(p.description, "a word, \xc3\xa4nd = more");
	assert_string_equal(p.box, "home");
	assert_string_equal(p.group, "net.admins-2");
	assert_true(p.capabilities == (BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_SYS_ADMIN)));
	assert_false(p.has_no_new_privs);
	assert_true(p.hides_bus);
	assert_true(p.is_fresh);
	assert_false(p.may_listen);
	assert_list(p.env, p.n_env, "A=b c=d _X9= ");
	assert_list(p.unset, p.n_unset, "ONE two _ ");
	assert_list(p.command, p.n_command, "/usr/bin/nice -n 5 ");
	assert_list(p.allow, p.n_allow, "read execve write open ");
	assert_list(p.deny, p.n_deny, "ptrace write ");
	assert_true(p.has_families);
	assert_int_equal(p.n_families, N(families));
	assert_memory_equal(p.families, families, sizeof(families));
	profile_free(&p);
}

/* what a single line says, beside the defaults */
static void test_profile_values_alone(void **state)
{
	struct diag_list diags = { 0 };
	struct profile p;

	(void)state;
	assert_int_equal(parse("[Profile]\nCapabilities = All\n", &p, &diags), 0);
	assert_true(p.capabilities == BIT(CAP_LAST_CAP + 1) - 1);
	profile_free(&p);
	assert_int_equal(parse("[Profile]\nCapabilities = none\n", &p, &diags), 0);
	assert_true(p.capabilities == 0);
	assert_int_equal(parse("[Profile]\nBox = a_B.+-9\nSystemBus = yes\nBrowser = as-is\n"
			       "Listen = yes\nNoNewPrivs = yes\n",
			       &p, &diags),
			 0);
	assert_string_equal(p.box, "a_B.+-9");
	assert_false(p.hides_bus);
	assert_false(p.is_fresh);
	assert_true(p.may_listen);
	assert_true(p.has_no_new_privs);
	assert_int_equal(parse("[Filter]\nFamilies = none\n", &p, &diags), 0);
	assert_true(p.has_families);
	assert_int_equal(p.n_families, 0);
	/* there is none on some architectures, and on others that is all there is */
	assert_int_equal(parse("[Filter]\nDeny = open socketcall riscv_flush_icache\n", &p, &diags),
			 0);
	assert_list(p.deny, p.n_deny, "open socketcall riscv_flush_icache ");
	profile_free(&p);
	/* 127 bytes, 64 and 63 */
	AUTO_FREE char *longest = NULL;
	assert_true(asprintf(&longest, "[Profile]\nDescription=%0127d\nBox=%064d\nGroup=%063d\n", 1,
			     2, 3) > 0);
	assert_int_equal(parse(longest, &p, &diags), 0);
	assert_int_equal(strlen(p.description), 127);
	assert_int_equal(strlen(p.box), 64);
	assert_int_equal(strlen(p.group), 63);
	profile_free(&p);
}

struct refusal {
	const char *text,
		*says; /* of the first problem: FILE:LINE:COL: and what comes soon after */
};

static void check_refused(const struct refusal *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct diag_list diags = { 0 };
		struct profile p;
		char line[600];

		if (parse(row[i].text, &p, &diags) != -EINVAL)
			fail_msg("accepted: %s", row[i].text);
		assert_true(diags.n_items > 0 && diags.n_errors == diags.n_items);
		diag_format(&diags, &diags.items[0], line, sizeof(line));
		if (strncmp(line, row[i].says, strlen(row[i].says)) != 0)
			fail_msg("row %zu: %s", i, line);
		profile_free(&p);
		diag_free(&diags);
	}
}

static void test_profile_refused_lines(void **state)
{
	static const struct refusal row[] = {
		{ "[Profil]\n", "x.profile:1:1: unknown section; perhaps meant: [Profile]" },
		{ "[Guard]\nX=y\n", "x.profile:1:1: unknown section `[Guard]'" },
		{ "[Filter\n", "x.profile:1:1: unknown section" },
		{ "Box=home\n", "x.profile:1:1: this key belongs in [Profile]" },
		{ "[Filter]\n  Box=home\n", "x.profile:2:3: this key belongs in [Profile]" },
		{ "[Profile]\nAllow=execve\n", "x.profile:2:1: this key belongs in [Filter]" },
		{ "[Profile]\nCapabilites=all\n",
		  "x.profile:2:1: unknown key; perhaps meant: Capab" },
		{ "[Profile]\nSeccomp=no\n", "x.profile:2:1: unknown key `Seccomp'" },
		{ "[Profile]\nBox\n", "x.profile:2:1: neither a `[Section]' nor" },
		{ "[Profile]\nBox=a\n\nbox=b\n", "x.profile:4:1: Box is in line 2 already" },
		{ "[Profile]\nBox=\n[Profile]\nBox=b\n",
		  "x.profile:2:5: Box is the name of a box" },
		{ "\xef\xbb\xbf[Profile]\n", "x.profile:1:1: a UTF-8 byte order mark" },
	};
	static const char *const single[] = {
		"[Profile]\nDescription = a\nDescription = b\n",
		"[Profile]\nBox = a\nBox = b\n",
		"[Profile]\nGroup = a\nGroup = b\n",
		"[Profile]\nCapabilities = all\nCapabilities = none\n",
		"[Profile]\nNoNewPrivs = no\nNoNewPrivs = no\n",
		"[Profile]\nSystemBus = no\nSystemBus = no\n",
		"[Profile]\nBrowser = fresh\nBrowser = fresh\n",
		"[Profile]\nListen = no\nListen = no\n",
		"[Profile]\nCommand = /a\nCommand = /b\n",
		"[Filter]\nFamilies = unix\nFamilies = inet\n",
	};
	struct diag_list diags = { 0 };
	struct profile p;

	(void)state;
	check_refused(row, N(row));
	for (size_t i = 0; i < N(single); i++) {
		const struct refusal again = { single[i], "x.profile:3:1: " };
		check_refused(&again, 1);
		assert_int_equal(parse(single[i], &p, &diags), -EINVAL);
		assert_non_null(strstr(diags.items[0].text, "is in line 2 already"));
		profile_free(&p);
		diag_free(&diags);
	}
	/* what stands in an unknown section is not looked at */
	assert_int_equal(parse("[Guard]\nX=y\nBox=a\n[Profile]\nBox=b\n", &p, &diags), -EINVAL);
	assert_int_equal(diags.n_items, 1);
	assert_string_equal(p.box, "b");
	profile_free(&p);
	diag_free(&diags);
	assert_int_equal(parse_bytes("[Profile]\nB\0x=home\n", 18, &p, &diags), -EINVAL);
	assert_int_equal(diags.items[0].line, 2);
	assert_int_equal(diags.items[0].col, 2);
	profile_free(&p);
	diag_free(&diags);
}

static void test_profile_refused_values(void **state)
{
	static const struct refusal row[] = {
		{ "[Profile]\nDescription =\n", "x.profile:2:14: Description is a line of" },
		{ "[Profile]\nDescription = a\033[31m\n", "x.profile:2:16: a control character" },
		{ "[Profile]\nBox = ..\n", "x.profile:2:7: Box is the name of a box" },
		{ "[Profile]\nBox = .\n", "x.profile:2:7: Box is the name" },
		{ "[Profile]\nBox = a/b\n", "x.profile:2:7: Box is the name" },
		{ "[Profile]\nBox = a b\n", "x.profile:2:7: Box is the name" },
		{ "[Profile]\nGroup = -x\n", "x.profile:2:9: Group is the name of a group" },
		{ "[Profile]\nGroup = a b\n", "x.profile:2:9: Group is the name" },
		{ "[Profile]\nGroup =\n", "x.profile:2:8: Group is the name" },
		{ "[Profile]\nCapabilities =\n", "x.profile:2:15: Capabilities is all, none, or" },
		{ "[Profile]\nCapabilities = net_admin net\n",
		  "x.profile:2:26: unknown capability `net'" },
		{ "[Profile]\nCapabilities = cap_\n", "x.profile:2:16: unknown capability" },
		{ "[Profile]\nCapabilities = cap_cap_chown\n", "x.profile:2:16: unknown capab" },
		{ "[Profile]\nCapabilities = net_raw all\n", "x.profile:2:24: `all' stands alone" },
		{ "[Profile]\nCapabilities = none chown\n", "x.profile:2:16: `none' stands alone" },
		{ "[Profile]\nNoNewPrivs = maybe\n", "x.profile:2:14: NoNewPrivs is yes or no" },
		{ "[Profile]\nNoNewPrivs =\n", "x.profile:2:13: NoNewPrivs is yes or no" },
		{ "[Profile]\nSystemBus = off\n", "x.profile:2:13: SystemBus is yes or no" },
		{ "[Profile]\nBrowser = new\n", "x.profile:2:11: Browser is as-is or fresh" },
		{ "[Profile]\nListen = 1\n", "x.profile:2:10: Listen is yes or no" },
		{ "[Profile]\nEnvironment = A\n", "x.profile:2:15: Environment is VARIABLE=VALUE" },
		{ "[Profile]\nEnvironment = =A\n", "x.profile:2:15: Environment is" },
		{ "[Profile]\nEnvironment = 1A=b\n", "x.profile:2:15: Environment is" },
		{ "[Profile]\nEnvironment = A =b\n", "x.profile:2:15: Environment is" },
		{ "[Profile]\nUnset =\n", "x.profile:2:8: Unset is names of variables" },
		{ "[Profile]\nUnset = A B=c\n", "x.profile:2:11: `B=c' is not the name of a var" },
		{ "[Profile]\nCommand = nice\n", "x.profile:2:11: Command is the absolute path" },
		{ "[Profile]\nCommand = / x\n", "x.profile:2:11: Command is the absolute path" },
		{ "[Profile]\nCommand = /usr/ x\n", "x.profile:2:11: Command is the absolute" },
		{ "[Profile]\nCommand = /a=b x=y\n", "x.profile:2:11: a path with `='" },
		{ "[Profile]\nCommand =\n", "x.profile:2:10: Command is the absolute path" },
		{ "[Filter]\nFamilies =\n", "x.profile:2:11: Families is none, or names of add" },
		{ "[Filter]\nFamilies = inet ipx\n",
		  "x.profile:2:17: unknown address family `ipx'" },
		{ "[Filter]\nFamilies = inet none\n", "x.profile:2:17: `none' stands alone" },
	};
	AUTO_FREE char *too_long = NULL;
	static const struct {
		const char *key;
		int len;
	} limit[] = { { "Description", 128 }, { "Box", 65 }, { "Group", 64 } };

	(void)state;
	check_refused(row, N(row));
	for (size_t i = 0; i < N(limit); i++) {
		struct refusal one = { NULL, "x.profile:2:" };
		AUTO_FREE char *text = NULL;
		assert_true(asprintf(&text, "[Profile]\n%s=%0*d\n", limit[i].key, limit[i].len, 1) >
			    0);
		one.text = text;
		check_refused(&one, 1);
	}
}

static void test_profile_refused_filters(void **state)
{
	static const struct refusal row[] = {
		{ "[Filter]\nAllow =\n",
		  "x.profile:2:8: Allow is names of system calls, or @LIST" },
		{ "[Filter]\nDeny =\n", "x.profile:2:7: Deny is names of system calls, or @LIST" },
		{ "[Filter]\nAllow = execve sockett\n",
		  "x.profile:2:16: unknown system call; perhaps meant: socket" },
		{ "[Filter]\nDeny = frobnicate\n",
		  "x.profile:2:8: unknown system call `frobnicate'" },
		{ "[Filter]\nAllow = execve, read\n",
		  "x.profile:2:9: unknown system call; perhaps meant: execve" },
		{ "[Filter]\nAllow = execve Read\n",
		  "x.profile:2:16: unknown system call; perhaps meant: read" },
		{ "[Filter]\n\nAllow =  read write\nAllow = open\n",
		  "x.profile:3:10: without execve the program cannot be started" },
		{ "[Filter]\nAllow = @empty\n", "x.profile:2:9: without execve" },
		{ "[Filter]\nDeny = execve\n", "x.profile:2:8: without execve" },
		{ "[Filter]\nAllow = @base\nDeny = @base\n", "x.profile:3:8: without execve" },
		{ "[Filter]\nAllow = execve @nowhere\n",
		  "x.profile:2:16: `@nowhere': there is no such list" },
		{ "[Filter]\nAllow = @secret execve\n",
		  "x.profile:2:9: `@secret': the list cannot be used" },
		{ "[Filter]\nAllow = execve @\n", "x.profile:2:16: `@' is not the name of a list" },
		{ "[Filter]\nAllow = execve @../x\n", "x.profile:2:16: `@../x' is not the name" },
		{ "[Filter]\nAllow = execve @-x\n", "x.profile:2:16: `@-x' is not the name" },
		{ "[Filter]\nAllow = execve ?\n", "x.profile:2:17: unknown system call `'" },
		{ "[Filter]\nAllow = execve ?@base\n", "x.profile:2:17: unknown system call" },
		{ "[Filter]\nDeny = ?ptrace\n", "x.profile:2:8: `?ptrace': only Allow can pass" },
		/* in a list, by its own name */
		{ "[Filter]\nAllow = execve @wrong\n",
		  "wrong.list:2:3: unknown system call; perhaps meant: socket" },
		{ "[Filter]\nDeny = @newer\n", "newer.list:1:8: `?read': only Allow can pass" },
		{ "[Filter]\nAllow = @missing\n",
		  "missing.list:1:8: `@nowhere': there is no such" },
		{ "[Filter]\nAllow = @self\n", "self.list:2:1: `@self' is a loop" },
		{ "[Filter]\nAllow = @here\n", "there.list:1:6: `@here' is a loop" },
		{ "[Filter]\nAllow = execve @nul\n", "nul.list:1:3: a NUL byte" },
		{ "[Filter]\nAllow = @bom\n", "bom.list:1:1: a UTF-8 byte order mark" },
		{ "[Filter]\nAllow = @d0\n", "d7.list:1:1: `@d8' is too deep: 8 lists lead here" },
	};
	static const char wrong_twice[] = "[Filter]\nAllow = execve @wrong sockett\n";
	struct diag_list diags = { 0 };
	struct profile p;

	(void)state;
	check_refused(row, N(row));

	/* every problem, not only the first, in the order of reading */
	assert_int_equal(parse(wrong_twice, &p, &diags), -EINVAL);
	assert_int_equal(diags.n_items, 3);
	assert_string_equal(diags.items[1].file, "wrong.list");
	assert_int_equal(diags.items[1].col, 11);
	assert_null(diags.items[2].file);
	assert_int_equal(diags.items[2].col, 23);
	profile_free(&p);
	diag_free(&diags);

	/* where there are no lists */
	profile_init(&p);
	assert_int_equal(profile_parse("[Filter]\nDeny=@base\n", 20, NULL, &p, &diags), -EINVAL);
	profile_free(&p);
	diag_free(&diags);
}

static void test_profile_lists(void **state)
{
	static const struct {
		const char *text, *allow, *deny;
		unsigned n_asked;
	} row[] = {
		{ "Allow = @base\n", "read write execve ", "", 1 },
		{ "Allow = open @base close\n", "open read write execve close ", "", 1 },
		{ "Allow = @net\n", "read write execve socket ", "", 2 },
		/* each is read once */
		{ "Allow = @twice @net\nAllow = @base\n", "read write execve socket ", "", 3 },
		{ "Allow = @crlf @empty\n", "read execve ", "", 2 },
		/* the other key reads for itself */
		{ "Allow = @base\nDeny = @empty\n", "read write execve ", "", 2 },
		{ "Allow = @newer\nDeny = socket\n", "execve read ", "socket ", 1 },
		/* eight deep, and again from further up */
		{ "Allow = @d1 @d5\n", "execve ", "", 8 },
		/* read already: it does not matter how deep it stands now */
		{ "Allow = @d8 @d0\n", "execve ", "", 9 },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		unsigned n_asked = 0;
		const struct profile_source source = { .list = give_list, .ctx = &n_asked };
		struct diag_list diags = { 0 };
		AUTO_FREE char *text = NULL;
		struct profile p;

		assert_true(asprintf(&text, "[Filter]\n%s", row[i].text) > 0);
		profile_init(&p);
		assert_int_equal(profile_parse(text, strlen(text), &source, &p, &diags), 0);
		assert_list(p.allow, p.n_allow, row[i].allow);
		assert_list(p.deny, p.n_deny, row[i].deny);
		assert_int_equal(n_asked, row[i].n_asked);
		profile_free(&p);
	}
}

static void test_profile_is_bounded(void **state)
{
	static const struct {
		const char *before, *each, *says;
		unsigned n;
	} row[] = {
		{ "[Profile]\n", "Environment = A=b\n", "more than 1024", 1024 },
		{ "[Profile]\nUnset =", " A", "more than 1024", 1024 },
		{ "[Profile]\nCommand =", " /a", "more than 1024", 1024 },
		{ "[Filter]\nAllow = execve", " @many%u", "one more than 64 lists", 64 },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		for (unsigned more = 0; more <= 1; more++) {
			AUTO_STRBUF struct strbuf b = { 0 };
			struct diag_list diags = { 0 };
			struct profile p;

			strbuf_addf(&b, "%s", row[i].before);
			for (unsigned k = 0; k < row[i].n + more; k++) {
				strbuf_addf(&b, "%s", row[i].each);
				if (strchr(row[i].each, '%')) {
					b.len -= 2; /* the %u */
					strbuf_addf(&b, "%u", k);
				}
			}
			assert_int_equal(parse_bytes(b.s, b.len, &p, &diags), more ? -EINVAL : 0);
			assert_int_equal(diags.n_items, more);
			if (more)
				assert_non_null(strstr(diags.items[0].text, row[i].says));
			profile_free(&p);
			diag_free(&diags);
		}
	}
}

static void test_profile_many_unknown_calls(void **state)
{
	AUTO_STRBUF struct strbuf b = { 0 };
	struct diag_list diags = { 0 };
	struct profile p;

	(void)state;
	strbuf_addf(&b, "[Filter]\nDeny =");
	for (unsigned i = 0; i < 30000; i++)
		strbuf_addf(&b, " sockett");
	assert_int_equal(parse_bytes(b.s, b.len, &p, &diags), -EINVAL);
	assert_int_equal(diags.n_errors, 30000);
	assert_int_equal(diags.n_items, DIAG_MAX);
	/* the search for what was meant ends some time */
	assert_string_equal(diags.items[0].text, "unknown system call; perhaps meant: socket");
	assert_string_equal(diags.items[DIAG_MAX - 1].text, "unknown system call `sockett'");
	profile_free(&p);
	diag_free(&diags);
}

static void test_profile_what_it_needs(void **state)
{
	static const struct {
		const char *text;
		bool is_for_root, has_filter, needs_helper;
	} row[] = {
		{ "[Profile]\nBox=home\nListen=no\nEnvironment=A=b\nUnset=A\nCommand=/a\n", false,
		  false, false },
		{ "[Profile]\nCapabilities=chown\n", true, false, false },
		{ "[Profile]\nNoNewPrivs=no\n", true, false, false },
		{ "[Profile]\nSystemBus=no\n", false, false, true },
		{ "[Profile]\nBrowser=fresh\n", false, false, true },
		{ "[Profile]\nGroup=wgns\n", false, false, true },
		{ "[Filter]\nAllow=execve\n", false, true, true },
		{ "[Filter]\nDeny=ptrace\n", false, true, true },
		{ "[Filter]\nFamilies=none\n", false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct diag_list diags = { 0 };
		struct profile p;

		assert_int_equal(parse(row[i].text, &p, &diags), 0);
		if (profile_is_for_root(&p) != row[i].is_for_root ||
		    profile_has_filter(&p) != row[i].has_filter ||
		    profile_needs_helper(&p) != row[i].needs_helper)
			fail_msg("row %zu: %s", i, row[i].text);
		profile_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile_defaults),
		cmocka_unit_test(test_profile_values),
		cmocka_unit_test(test_profile_values_alone),
		cmocka_unit_test(test_profile_refused_lines),
		cmocka_unit_test(test_profile_refused_values),
		cmocka_unit_test(test_profile_refused_filters),
		cmocka_unit_test(test_profile_lists),
		cmocka_unit_test(test_profile_is_bounded),
		cmocka_unit_test(test_profile_many_unknown_calls),
		cmocka_unit_test(test_profile_what_it_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
