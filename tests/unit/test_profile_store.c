// SPDX-License-Identifier: GPL-2.0-or-later
/* Profiles as the helper finds them: files, owners, modes, what is left out and why */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wgns/profile_store.h"
#include "wgns/state.h"
#include "wgns/str.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define FOLDER STATE_DIR "/" PROFILE_STORE_PATH
#define ETC "/run/etc"
#define SHARE "/run/share"
#define GROUP "daemon"
#define OTHER_GROUP "sys"

static const char *const dirs[] = { ETC, SHARE };
static struct err e;
static int run_fd = -1;

static bool has_private_mnt(void)
{
	static bool is_made, is_tried;

	if (!is_tried)
		is_made = unshare(CLONE_NEWNS) == 0 &&
			  mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	is_tried = true;
	return is_made;
}

/* a /run that nobody else sees */
static int setup(void **state)
{
	(void)state;
	if (!has_private_mnt())
		return 0;
	(void)umask(077); /* the modes do not depend on it */
	if (mount("none", "/run", "tmpfs", 0, "mode=0755") < 0 || mkdir(ETC, 0755) < 0 ||
	    mkdir(SHARE, 0755) < 0)
		return -1;
	run_fd = state_open(true, &e);
	return run_fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	if (!has_private_mnt())
		return 0;
	return close(run_fd) < 0 || umount2("/run", MNT_DETACH) < 0;
}

static void need_mnt(void)
{
	if (has_private_mnt())
		return;
	print_message("skipped: it needs root for a private mount namespace\n");
	skip();
}

static void make_folder(void)
{
	if (state_mkdir(run_fd, PROFILE_STORE_PATH, 0755, 0, &e) != 0)
		fail_msg("%s", e.text);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fchmod(fileno(f), 0644), 0);
	assert_int_equal(fclose(f), 0);
}

static gid_t gid_of(const char *name)
{
	const struct group *g = getgrnam(name);

	if (!g)
		fail_msg("no group %s", name);
	return g->gr_gid;
}

static struct profile named(const char *name, const char *group)
{
	struct profile p;

	profile_init(&p);
	(void)snprintf(p.name, sizeof(p.name), "%s", name);
	(void)snprintf(p.group, sizeof(p.group), "%s", group);
	return p;
}

static struct profile that_denies(const char *name, const char *group, const char *call)
{
	struct profile p = named(name, group);

	assert_int_equal(str_list_add(&p.deny, &p.n_deny, call, strlen(call)), 0);
	return p;
}

static void write_it(const struct profile *p)
{
	if (profile_store_write(run_fd, p, &e) != 0)
		fail_msg("%s", e.text);
}

static void expect_file(const char *name, mode_t mode, gid_t gid)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), FOLDER "/%s", name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | mode);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, gid);
}

static size_t count_files(void)
{
	DIR *d = opendir(FOLDER);
	size_t n = 0;

	assert_non_null(d);
	for (const struct dirent *entry = readdir(d); entry; entry = readdir(d))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	assert_int_equal(closedir(d), 0);
	return n;
}

static void test_all_of_it_is_set(void **state)
{
	static const struct {
		bool hides_bus, is_fresh;
		unsigned options;
	} rows[] = {
		{ false, false, 0 },
		{ true, false, COMPILED_HIDE_BUS },
		{ false, true, COMPILED_FRESH },
		{ true, true, COMPILED_HIDE_BUS | COMPILED_FRESH },
	};
	static struct compiled c, none;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct profile p = named("p", "");
		p.hides_bus = rows[i].hides_bus;
		p.is_fresh = rows[i].is_fresh;
		memset(&c, 0xff, sizeof(c));
		assert_int_equal(profile_store_compile(&p, &c, &e), 0);
		assert_memory_equal(c.magic, COMPILED_MAGIC, sizeof(c.magic));
		assert_int_equal(c.options, rows[i].options);
		assert_memory_equal(c.len, none.len, sizeof(c.len));
		assert_memory_equal(c.code, none.code, sizeof(c.code));
		profile_free(&p);
	}

	struct profile p = that_denies("p", "", "ptrace");
	assert_int_equal(profile_store_compile(&p, &c, &e), 0);
	assert_true(c.len[0] > 0);
	profile_free(&p);
	p = that_denies("p", "", "no_such_call");
	assert_int_equal(profile_store_compile(&p, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "no_such_call"));
	profile_free(&p);
}

static void test_a_file_is_for_everyone_or_for_a_group(void **state)
{
	struct profile everyone = that_denies("everyone", "", "ptrace");
	struct profile grouped = that_denies("a.+-b", GROUP, "ptrace");

	(void)state;
	need_mnt();
	make_folder();
	write_it(&everyone);
	write_it(&grouped);
	expect_file("everyone" COMPILED_SUFFIX, 0644, 0);
	expect_file("a.+-b" COMPILED_SUFFIX, 0640, gid_of(GROUP));
	assert_int_equal(count_files(), 2);

	/* and back: the mode of the old file does not stay */
	(void)snprintf(everyone.group, sizeof(everyone.group), "%s", GROUP);
	grouped.group[0] = '\0';
	write_it(&everyone);
	write_it(&grouped);
	expect_file("everyone" COMPILED_SUFFIX, 0640, gid_of(GROUP));
	expect_file("a.+-b" COMPILED_SUFFIX, 0644, 0);
	assert_int_equal(count_files(), 2);
	profile_free(&everyone);
	profile_free(&grouped);
}

/* Return: what compiled_read() says to a user in @gid alone */
static int read_as(gid_t gid, const char *name, struct compiled *shared)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(65534) < 0)
			_exit(200);
		_exit(-compiled_read(name, shared));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void test_the_helper_reads_what_was_written(void **state)
{
	struct compiled *got =
		mmap(NULL, sizeof(*got), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static struct compiled want;
	struct profile everyone = that_denies("everyone", "", "ptrace");
	struct profile grouped = that_denies("grouped", GROUP, "mount");

	(void)state;
	need_mnt();
	assert_ptr_not_equal(got, MAP_FAILED);
	make_folder();
	everyone.is_fresh = true;
	write_it(&everyone);
	write_it(&grouped);
	assert_int_equal(read_as(gid_of(OTHER_GROUP), "everyone", got), 0);
	assert_int_equal(profile_store_compile(&everyone, &want, &e), 0);
	assert_memory_equal(got, &want, sizeof(want));
	memset(got, 0, sizeof(*got));
	assert_int_equal(read_as(gid_of(OTHER_GROUP), "grouped", got), -EACCES);
	assert_int_equal(read_as(gid_of(GROUP), "grouped", got), 0);
	assert_int_equal(profile_store_compile(&grouped, &want, &e), 0);
	assert_memory_equal(got, &want, sizeof(want));
	assert_int_equal(read_as(gid_of(GROUP), "absent", got), -ENOENT);
	assert_int_equal(munmap(got, sizeof(*got)), 0);
	profile_free(&everyone);
	profile_free(&grouped);
}

static void test_the_time_of_a_file_is_that_of_its_sources(void **state)
{
	struct profile p = that_denies("timed", "", "ptrace");
	struct stat st;

	(void)state;
	need_mnt();
	make_folder();
	p.stamp = 1234567890123456789;
	write_it(&p);
	assert_return_code(stat(STATE_DIR "/" PROFILE_STORE_PATH "/timed" COMPILED_SUFFIX, &st),
			   errno);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	profile_free(&p);
}

static void test_what_cannot_be_written_leaves_nothing(void **state)
{
	struct profile p = that_denies("p", "no-such-group-of-wgns", "ptrace");

	(void)state;
	need_mnt();
	make_folder();
	assert_int_equal(profile_store_write(run_fd, &p, &e), -EINVAL);
	assert_non_null(strstr(e.text, "profile p: there is no group \"no-such-group-of-wgns\""));
	p.group[0] = '\0';
	p.deny[0][0] = 'q';
	assert_int_equal(profile_store_write(run_fd, &p, &e), -EINVAL);
	assert_non_null(strstr(e.text, "profile p: there is no system call \"qtrace\""));
	p.deny[0][0] = 'p';
	/* nothing can take the place of a folder: all but the last step was done */
	assert_int_equal(mkdir(FOLDER "/p" COMPILED_SUFFIX, 0755), 0);
	assert_int_equal(profile_store_write(run_fd, &p, &e), -EISDIR);
	assert_int_equal(count_files(), 1);
	assert_int_equal(rmdir(FOLDER "/p" COMPILED_SUFFIX), 0);
	assert_int_equal(profile_store_remove(run_fd, &e), 0);
	assert_int_equal(profile_store_write(run_fd, &p, &e), -ENOENT);
	profile_free(&p);
}

/* which of two profiles is in the file; -1: neither, or not all of it */
static int which(const char *path, const struct compiled *both, size_t len)
{
	static struct compiled got;
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	size_t n = fread(&got, 1, sizeof(got), f);
	assert_int_equal(fclose(f), 0);
	for (int i = 0; i < 2; i++) {
		if (n == len && memcmp(&got, &both[i], len) == 0)
			return i;
	}
	return -1;
}

/* @gids: who may read the one and the other */
static void expect_no_leak(const struct compiled *both, size_t len, const gid_t *gids)
{
	DIR *d = opendir(FOLDER);
	char path[512];
	struct stat st;
	bool is_there = false;

	assert_non_null(d);
	for (const struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
		if (entry->d_type == DT_DIR)
			continue;
		(void)snprintf(path, sizeof(path), FOLDER "/%s", entry->d_name);
		assert_int_equal(stat(path, &st), 0);
		int i = which(path, both, len);
		if (strcmp(entry->d_name, "p" COMPILED_SUFFIX) == 0) {
			assert_true(i >= 0);
			is_there = true;
			assert_int_equal(st.st_mode & 0777, 0640);
		}
		assert_int_equal(st.st_mode & 037, 0);
		if (st.st_mode & 040)
			assert_true(i >= 0 && st.st_gid == gids[i]);
	}
	assert_true(is_there);
	assert_int_equal(closedir(d), 0);
}

/* a child that writes is stopped before and after each of its system calls, and looked over the shoulder */
static void test_at_no_moment_another_group_can_read_it(void **state)
{
	static struct compiled both[2];
	struct profile old = that_denies("p", GROUP, "ptrace");
	struct profile new = that_denies("p", OTHER_GROUP, "mount");
	const gid_t gids[] = { gid_of(GROUP), gid_of(OTHER_GROUP) };
	int status, n_stops = 0;

	(void)state;
	need_mnt();
	make_folder();
	write_it(&old);
	assert_int_equal(profile_store_compile(&old, &both[0], &e), 0);
	assert_int_equal(profile_store_compile(&new, &both[1], &e), 0);
	assert_int_equal(both[0].len[0], both[1].len[0]);
	size_t len = COMPILED_HEAD + sizeof(both->code[0]) * both->len[0];

	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
			_exit(200);
		_exit(-profile_store_write(run_fd, &new, &e));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL), 0);
	while (WIFSTOPPED(status)) {
		expect_no_leak(both, len, gids);
		n_stops++;
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(n_stops > 10);
	assert_int_equal(which(FOLDER "/p" COMPILED_SUFFIX, both, len), 1);
	expect_file("p" COMPILED_SUFFIX, 0640, gids[1]);
	assert_int_equal(count_files(), 1);
	profile_free(&old);
	profile_free(&new);
}

struct notes {
	char text[8][512];
	size_t n;
};

static void note(void *ctx, const char *text)
{
	struct notes *notes = ctx;

	assert_true(notes->n < N(notes->text));
	(void)snprintf(notes->text[notes->n++], sizeof(notes->text[0]), "%s", text);
}

static void expect_note(const struct notes *notes, const char *start, const char *part)
{
	for (size_t i = 0; i < notes->n; i++) {
		if (strncmp(notes->text[i], start, strlen(start)) == 0 &&
		    strstr(notes->text[i], part))
			return;
	}
	fail_msg("no note \"%s... %s\"; the first of %zu is: %s", start, part, notes->n,
		 notes->n ? notes->text[0] : "");
}

static void make_it(struct notes *notes)
{
	*notes = (struct notes){ 0 };
	if (profile_store_make(run_fd, dirs, N(dirs), note, notes, &e) != 0)
		fail_msg("%s", e.text);
}

static void test_make_leaves_out_what_nobody_needs_or_is_bad(void **state)
{
	struct notes notes;
	struct stat st;

	(void)state;
	need_mnt();
	put(ETC "/filter.profile", "[Filter]\nDeny = ptrace\n");
	put(SHARE "/bus.profile", "[Profile]\nSystemBus = no\nGroup = " GROUP "\n");
	put(ETC "/plain.profile", "[Profile]\nDescription = nothing\n");
	put(ETC "/caps.profile", "[Profile]\nCapabilities = net_raw\n[Filter]\nDeny = ptrace\n");
	put(ETC "/nnp.profile", "[Profile]\nNoNewPrivs = no\nSystemBus = no\n");
	put(ETC "/bad.profile", "[Profile]\nSystemBus = perhaps\n");
	put(ETC "/lost.profile", "[Profile]\nGroup = no-such-group-of-wgns\n");
	put(ETC "/foreign.profile", "[Filter]\nDeny = ptrace\n");
	assert_int_equal(chown(ETC "/foreign.profile", 65534, 0), 0);

	make_it(&notes);
	assert_int_equal(stat(FOLDER, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	assert_int_equal(st.st_uid, 0);
	expect_file("filter" COMPILED_SUFFIX, 0644, 0);
	expect_file("bus" COMPILED_SUFFIX, 0640, gid_of(GROUP));
	assert_int_equal(count_files(), 2);
	expect_note(&notes, "profile bad: " ETC "/bad.profile:2:13: ", "");
	expect_note(&notes, "profile lost: ", "no-such-group-of-wgns");
	expect_note(&notes, "profile foreign: ", ETC "/foreign.profile");
	assert_int_equal(notes.n, 3);
}

static void test_make_again_forgets_what_is_gone(void **state)
{
	struct notes notes;

	(void)state;
	need_mnt();
	put(ETC "/one.profile", "[Filter]\nDeny = ptrace\n");
	put(ETC "/two.profile", "[Filter]\nDeny = ptrace\n");
	make_it(&notes);
	assert_int_equal(count_files(), 2);
	assert_int_equal(unlink(ETC "/one.profile"), 0);
	put(ETC "/two.profile", "[Filter]\nDeny = nothing\n");
	put(ETC "/three.profile", "[Filter]\nFamilies = none\n");
	make_it(&notes);
	expect_file("three" COMPILED_SUFFIX, 0644, 0);
	assert_int_equal(count_files(), 1);
	expect_note(&notes, "profile two: " ETC "/two.profile:2:8: ", "nothing");
	assert_int_equal(notes.n, 1);
}

static void test_make_without_any_profile(void **state)
{
	struct notes notes;

	(void)state;
	need_mnt();
	assert_int_equal(rmdir(ETC), 0);
	make_it(&notes);
	assert_int_equal(count_files(), 0);
	assert_int_equal(notes.n, 0);
}

static void test_make_fails_when_there_is_no_room(void **state)
{
	struct notes notes = { 0 };

	(void)state;
	need_mnt();
	put(ETC "/one.profile", "[Filter]\nDeny = ptrace\n");
	put(ETC "/two.profile", "[Filter]\nDeny = ptrace\n");
	assert_int_equal(close(run_fd), 0);
	assert_int_equal(mount("none", STATE_DIR, "tmpfs", 0, "mode=0755,size=4k"), 0);
	run_fd = state_open(true, &e);
	assert_true(run_fd >= 0);
	assert_int_equal(profile_store_make(run_fd, dirs, N(dirs), note, &notes, &e), -ENOSPC);
	assert_non_null(strstr(e.text, "profile two: "));
	assert_int_equal(notes.n, 0);
	assert_int_equal(profile_store_remove(run_fd, &e), 0);
	assert_int_equal(close(run_fd), 0);
	assert_int_equal(umount(STATE_DIR), 0);
	run_fd = state_open(true, &e);
	assert_true(run_fd >= 0);
}

static void test_remove_leaves_nothing(void **state)
{
	struct notes notes;

	(void)state;
	need_mnt();
	assert_int_equal(profile_store_remove(run_fd, &e), 0); /* absent */
	put(ETC "/one.profile", "[Filter]\nDeny = ptrace\n");
	make_it(&notes);
	put(FOLDER "/.one.4711", "left by a process that was killed\n");
	assert_int_equal(profile_store_remove(run_fd, &e), 0);
	assert_int_equal(access(FOLDER, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

#define WITH_RUN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_is_set),
		WITH_RUN(test_a_file_is_for_everyone_or_for_a_group),
		WITH_RUN(test_the_helper_reads_what_was_written),
		WITH_RUN(test_the_time_of_a_file_is_that_of_its_sources),
		WITH_RUN(test_what_cannot_be_written_leaves_nothing),
		WITH_RUN(test_at_no_moment_another_group_can_read_it),
		WITH_RUN(test_make_leaves_out_what_nobody_needs_or_is_bad),
		WITH_RUN(test_make_again_forgets_what_is_gone),
		WITH_RUN(test_make_without_any_profile),
		WITH_RUN(test_make_fails_when_there_is_no_room),
		WITH_RUN(test_remove_leaves_nothing),
	};

	return cmocka_run_group_tests_name("profile_store", tests, NULL, NULL);
}
