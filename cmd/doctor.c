// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "findings.h"
#include "installed.h"
#include "status.h"
#include "wgns/doctor.h"
#include "wgns/str.h"

#define ESCAPED_MAX (4 * 1024)

/* a yes with something to know is a note */
static bool is_note(const struct finding *f)
{
	for (size_t i = 0; i < f->n_details; i++) {
		if (f->answer == FINDING_YES && f->details[i].weight == FINDING_WARNING)
			return true;
	}
	return false;
}

static const char *word(const struct finding *f, const char **colour)
{
	switch (f->answer) {
	case FINDING_YES:
		*colour = is_note(f) ? "\033[33m" : "\033[32m";
		return is_note(f) ? "note" : "yes";
	case FINDING_UNKNOWN:
		*colour = "\033[33m";
		return "?";
	case FINDING_NO:
		*colour = "\033[31m";
		return "NO";
	}
	return "";
}

static void print_details(const struct finding *f, size_t first)
{
	char text[ESCAPED_MAX];

	for (size_t i = first; i < f->n_details; i++) {
		status_escape(f->details[i].text, text, sizeof(text));
		printf("        %s\n", text);
		/* what could not be looked at has one hint for all, at the end */
		if (!f->details[i].hint || f->details[i].weight == FINDING_OPEN)
			continue;
		status_escape(f->details[i].hint, text, sizeof(text));
		printf("          hint: %s\n", text);
	}
}

static void print_finding(const struct finding *f, bool has_colour)
{
	char text[ESCAPED_MAX] = "";
	const char *colour = "";
	const char *answer = word(f, &colour);
	/* what a yes is made of stands behind it, so that all fits on a screen */
	bool is_short = f->n_details && f->answer != FINDING_NO &&
			f->details[0].weight == FINDING_NOTE && !f->details[0].hint;

	if (is_short)
		status_escape(f->details[0].text, text, sizeof(text));
	printf("  %s%-4s%s  %s%s%s\n", has_colour ? colour : "", answer,
	       has_colour ? "\033[0m" : "", f->text, is_short ? ": " : "", text);
	print_details(f, is_short ? 1 : 0);
}

/* the first word of the id is the group */
static size_t group_len(const char *id)
{
	return strcspn(id, ".");
}

static void print_text(const struct findings *list)
{
	bool has_colour = cmd_has_colour(stdout);
	size_t n_no = 0, n_unknown = 0, n_notes = 0;
	const char *group = "";

	for (size_t i = 0; i < list->n; i++) {
		const struct finding *f = &list->items[i];
		size_t len = group_len(f->id);
		if (len != group_len(group) || strncmp(group, f->id, len) != 0)
			printf("%.*s\n", (int)len, f->id);
		group = f->id;
		print_finding(f, has_colour);
		n_no += f->answer == FINDING_NO;
		n_unknown += f->answer == FINDING_UNKNOWN;
		n_notes += is_note(f);
	}
	if (n_no)
		printf("\n`wgns up` does not work here: %zu thing%s forbid%s it\n", n_no,
		       n_no == 1 ? "" : "s", n_no == 1 ? "s" : "");
	else if (n_unknown)
		printf("\nnothing that forbids `wgns up` was found, and %zu thing%s could not be "
		       "looked "
		       "at%s\n",
		       n_unknown, n_unknown == 1 ? "" : "s",
		       geteuid() == 0 ? "" : ": sudo wgns doctor sees all");
	else
		printf("\n`wgns up` works here%s\n",
		       n_notes ? "; the notes are worth knowing" : "");
}

static int print_json(const struct findings *list)
{
	json_t *all = findings_to_json(list);
	json_t *root = all ? json_pack("{s:i, s:s, s:b, s:o}", "schema", 1, "answer",
				       finding_answer_name(findings_answer(list)), "can_up",
				       findings_answer(list) != FINDING_NO, "findings", all)
			   : NULL;
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	if (!text)
		return EXIT_FAILED;
	puts(text);
	free(text);
	return EXIT_DONE;
}

/* sudo says who called it; the group is for them */
static uid_t user_of_caller(void)
{
	const char *text = getuid() == 0 ? getenv("SUDO_UID") : NULL;
	unsigned long long uid;

	return text && str_to_u64(text, UINT32_MAX - 1, &uid) == 0 ? (uid_t)uid : getuid();
}

static int examine(bool has_json)
{
	char helper[PATH_MAX], shipped[PATH_MAX];
	const char *dirs[INSTALLED_PROFILE_DIRS];
	AUTO_FINDINGS struct findings list = { 0 };
	struct diag_list diags = { .file = WGNSCONF_DIR };
	struct wgnsconf settings;
	struct err problem, e;

	installed_helper(helper);
	installed_profiles(shipped, dirs);
	bool is_read = wgnsconf_read(WGNSCONF_DIR, NULL, &settings, &diags, &problem) == 0;
	if (!is_read)
		wgnsconf_init(&settings);
	diag_free(&diags);
	const struct doctor_request rq = {
		.settings = &settings,
		.settings_problem = is_read ? NULL : problem.text,
		.wireguard_dir = CMD_WIREGUARD_DIR,
		.helper = helper,
		.profile_dirs = dirs,
		.n_profile_dirs = INSTALLED_PROFILE_DIRS,
		.user = user_of_caller(),
	};
	int rc = doctor_examine(&rq, &list, &e);
	wgnsconf_free(&settings);
	if (rc < 0)
		return cmd_fail(&e, cmd_doctor.name);

	int status = EXIT_DONE;
	if (has_json)
		status = print_json(&list);
	else
		print_text(&list);
	if (status == EXIT_DONE && findings_answer(&list) == FINDING_NO)
		status = EXIT_MACHINE;
	return cmd_flush(status);
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	bool has_json = false;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (opt != 'j')
			return cmd_usage(&cmd_doctor, "%s: no such option", argv[optind - 1]);
		has_json = true;
	}
	if (optind != argc)
		return cmd_usage(&cmd_doctor, "it takes no argument");
	return examine(has_json);
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.usage = "[--json]",
	.summary = "can this machine do it? and what to do where it cannot",
	.help = "      --json         everything as JSON\n"
		"\n"
		"Looks at the kernel, the tunnel's program, the uplinks and who manages them,\n"
		"names, rights, and what an earlier wgns may have left; it changes nothing. NO is\n"
		"what forbids `up` (exit 5), a note is worth knowing, ? is what only root sees.\n",
	.run = run,
};
