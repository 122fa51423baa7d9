// SPDX-License-Identifier: GPL-2.0-or-later
/* the arguments of programs that wgns takes over: which device they name, and how they stay in the foreground; pure */
#include "wgns/agents_argv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "wgns/str.h"

/* How a program reads its options. */
struct syntax {
	const char *program;
	const char *takes; /* letters of options that have an argument */
	const char *drops; /* letters of those that would make it leave, or talk to nobody */
	const char *const *drops_words; /* and words; ends with NULL */
	const char *foreground;
	char device_letter; /* of the option that names the device; 0: it is an argument of its own */
	bool is_by_word; /* an option is a word with one dash, as in dhclient(8) */
};

static const char *const dhclient_drops[] = { "-nw", "-n", "-1", "-q", "-d", "-r", "-x", NULL };
static const char *const dhclient_takes[] = { "-p",  "-D", "-sf",      "-lf",  "-pf", "-cf",
					      "-df", "-s", "-g",       "-V",   "-C",  "-H",
					      "-F",  "-e", "-timeout", "-4o6", NULL };
static const char *const udhcpc_drops[] = { "--now", "--quit", "--background", "--foreground",
					    NULL };
static const char *const dhcpcd_drops[] = { "--background", "--nobackground", "--rebind",
					    "--release",    "--exit",	      NULL };
static const char *const no_drops[] = { NULL };

static const struct syntax syntaxes[] = {
	{ "dhclient", "", "", dhclient_drops, "-d", 0, true },
	{ "udhcpc", "iprsTtVAOxFHhPc", "nqbf", udhcpc_drops, "-f", 'i', false },
	{ "dhcpcd", "cefhijlmorstuvyzCDEFGIOQSWXZ", "bnkxNB", dhcpcd_drops, "-B", 0, false },
	/* u: its profile hides the system bus, without which it would not start */
	{ "wpa_supplicant", "bcCDefgGiIoOpPm", "uB", no_drops, NULL, 'i', false },
};

static const struct syntax *find(const char *program)
{
	for (size_t i = 0; i < sizeof(syntaxes) / sizeof(syntaxes[0]); i++) {
		if (strcmp(syntaxes[i].program, program) == 0)
			return &syntaxes[i];
	}
	return NULL;
}

static bool is_in(const char *word, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(word, *list) == 0)
			return true;
	}
	return false;
}

const char *agents_program_of(const char *comm, char *const *argv, size_t argc)
{
	const char *name = comm;

	if (strcmp(comm, "busybox") == 0) {
		name = argc ? argv[0] : "";
		name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
		if (strcmp(name, "busybox") == 0)
			name = argc > 1 ? argv[1] : "";
	}
	const struct syntax *s = find(name);
	return s ? s->program : NULL;
}

/* the first argument that is no name of the program: "busybox udhcpc" has two */
static size_t first_arg(const struct syntax *s, char *const *argv, size_t argc)
{
	return argc > 1 && strcmp(argv[1], s->program) == 0 ? 2 : 1;
}

/* One argument, as the program reads it. */
struct word {
	const char *text;
	bool is_option, takes_next;
	const char *value; /* of device_letter, when it is in the same word */
	bool is_device; /* of device_letter: here or next */
	char kept
		[256]; /* a word of letters without those that are dropped; "" when nothing is left */
	bool is_cut;
};

static void read_letters(const struct syntax *s, struct word *w)
{
	size_t n = 0;

	w->kept[n++] = '-';
	for (const char *c = w->text + 1; *c && n < sizeof(w->kept) - 1; c++) {
		if (strchr(s->takes, *c)) {
			w->is_device = *c == s->device_letter;
			w->value = c[1] ? c + 1 : NULL;
			w->takes_next = !c[1];
			n += (size_t)snprintf(w->kept + n, sizeof(w->kept) - n, "%s", c);
			break;
		}
		if (strchr(s->drops, *c))
			w->is_cut = true;
		else
			w->kept[n++] = *c;
	}
	if (n >= sizeof(w->kept))
		w->is_cut = false; /* so long an argument is none of those */
	else
		w->kept[n == 1 ? 0 : n] = '\0';
}

static struct word read_word(const struct syntax *s, const char *text)
{
	struct word w = { .text = text, .is_option = text[0] == '-' && text[1] };

	if (!w.is_option)
		return w;
	if (s->is_by_word)
		w.takes_next = is_in(text, dhclient_takes);
	else if (text[1] == '-')
		w.is_device = strcmp(text, "--interface") == 0 && s->device_letter == 'i';
	else
		read_letters(s, &w);
	if (w.is_device && !w.value)
		w.takes_next = true;
	if (is_in(text, s->drops_words)) {
		w.is_cut = true;
		w.kept[0] = '\0';
	}
	return w;
}

/* several devices: no one of them */
static void take_device(const char *name, char out[IFNAMSIZ], size_t *n)
{
	if (strlen(name) >= IFNAMSIZ || !*name || strchr(name, '/'))
		return;
	(*n)++;
	(void)snprintf(out, IFNAMSIZ, "%s", *n == 1 ? name : "");
}

/* dhcpcd(8) writes over its arguments: "dhcpcd: eth0 [ip4]", "dhcpcd: [manager] [ip4] [ip6]" */
static const char *title_of(char *const *argv, size_t argc)
{
	static const char mark[] = "dhcpcd: ";

	return argc && strncmp(argv[0], mark, sizeof(mark) - 1) == 0 ? argv[0] + sizeof(mark) - 1
								     : NULL;
}

void agents_device_of(const char *program, char *const *argv, size_t argc, char out[IFNAMSIZ])
{
	const struct syntax *s = find(program);
	const char *title = title_of(argv, argc);
	size_t n = 0;

	out[0] = '\0';
	if (title) {
		if (title[0] != '[')
			(void)sscanf(title, "%15s", out);
		return;
	}
	for (size_t i = s ? first_arg(s, argv, argc) : argc; i < argc; i++) {
		struct word w = read_word(s, argv[i]);
		if (w.is_device)
			take_device(w.value ? w.value : i + 1 < argc ? argv[i + 1] : "", out, &n);
		else if (!w.is_option && !s->device_letter)
			take_device(argv[i], out, &n);
		i += w.takes_next;
	}
	/* its default, see busybox */
	if (!n && strcmp(program, "udhcpc") == 0)
		(void)snprintf(out, IFNAMSIZ, "eth0");
}

static int add(struct agents_argv *a, const char *text)
{
	return str_list_add(&a->argv, &a->argc, text, strlen(text));
}

bool agents_has_title(char *const *argv, size_t argc)
{
	return title_of(argv, argc);
}

/* what is left of the title's options; who has written it may be nobody's friend: no word is an option but ours */
static int from_title(const char *title, struct agents_argv *out)
{
	char device[IFNAMSIZ] = "";
	bool has_4 = strstr(title, "[ip4]"), has_6 = strstr(title, "[ip6]");

	int rc = add(out, "dhcpcd");
	if (rc == 0 && has_4 != has_6)
		rc = add(out, has_4 ? "-4" : "-6");
	if (rc == 0 && title[0] != '[' && sscanf(title, "%15s", device) == 1)
		rc = device[0] == '-' || strchr(device, '/') ? -EINVAL : add(out, device);
	return rc;
}

bool agents_is_proxy(char *const *argv, size_t argc)
{
	static const char proxy[] = "[privileged proxy]";
	const char *title = title_of(argv, argc);

	return title && strncmp(title, proxy, sizeof(proxy) - 1) == 0;
}

bool agents_is_helper(char *const *argv, size_t argc)
{
	const char *title = title_of(argv, argc);

	return title && title[0] == '[' && strncmp(title, "[manager]", 9) != 0 &&
	       strncmp(title, "[master]", 8) != 0;
}

int agents_argv_in_home(char *const *argv, size_t argc, struct agents_argv *out)
{
	const char *title = title_of(argv, argc);
	int rc = title ? from_title(title, out) : 0;

	for (size_t i = 0; !title && rc == 0 && i < argc; i++)
		rc = add(out, argv[i]);
	return rc;
}

/* udhcpc runs our script, which tells the keeper, and asks for the portal */
static int add_own(const char *program, const char *script, struct agents_argv *out)
{
	/* 119: search domains (RFC 3397); 121: routes (RFC 3442) */
	const char *const words[] = { "-O", "114", "-O", "119", "-O", "121", "-s", script };
	const size_t n = sizeof(words) / sizeof(words[0]);
	int rc = 0;

	for (size_t i = 0; rc == 0 && strcmp(program, "udhcpc") == 0 && i < n; i++)
		rc = add(out, words[i]);
	return rc;
}

/* is this udhcpc's own script? then how many words are left out */
static size_t script_words(const char *program, const char *text)
{
	if (strcmp(program, "udhcpc") != 0)
		return 0;
	if (strcmp(text, "-s") == 0 || strcmp(text, "--script") == 0)
		return 2;
	return (text[0] == '-' && text[1] == 's') || strncmp(text, "--script=", 9) == 0;
}

int agents_argv_for(const char *program, char *const *argv, size_t argc, const char *script,
		    struct agents_argv *out)
{
	const struct syntax *s = find(program);
	int rc = 0;

	if (!s || !argc)
		return -EINVAL;
	size_t first = first_arg(s, argv, argc);
	for (size_t i = 0; rc == 0 && i < first && i < argc; i++)
		rc = add(out, argv[i]);
	if (rc == 0 && s->foreground)
		rc = add(out, s->foreground);
	if (rc == 0)
		rc = add_own(program, script, out);
	for (size_t i = first; rc == 0 && i < argc; i++) {
		size_t n_script = script_words(program, argv[i]);
		if (n_script) {
			i += n_script - 1;
			continue;
		}
		struct word w = read_word(s, argv[i]);
		if (!w.is_cut)
			rc = add(out, argv[i]);
		else if (w.kept[0])
			rc = add(out, w.kept);
		if (rc == 0 && w.takes_next && i + 1 < argc)
			rc = add(out, argv[++i]);
	}
	return rc;
}

void agents_argv_free(struct agents_argv *a)
{
	str_list_free(&a->argv, &a->argc);
}
