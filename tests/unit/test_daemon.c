// SPDX-License-Identifier: GPL-2.0-or-later
/* What the userspace backend promises about its daemon and the sockets */
#include "backend_lab.h"

#include "wgns/str.h"

static void begin_daemon(struct side *s, const char *birth_name)
{
	begin_side(s, birth_name);
	assert_ok(backend_userspace.create(&s->dev, s->out_fd, &e));
	assert_true(s->dev.pid > 0 && s->dev.start_time > 0);
}

static void test_killed_daemon_is_named(void **state)
{
	const struct backend *b = need(state);
	struct side s;
	struct wg_device got;
	int status;

	begin_daemon(&s, "wgtkill");
	assert_int_equal(kill(s.dev.pid, SIGKILL), 0);
	assert_int_equal(waitpid(s.dev.pid, &status, 0), s.dev.pid);
	assert_int_equal(b->get(&s.dev, s.in_fd, &got, &e), -ESRCH);
	assert_non_null(strstr(e.text, "is gone"));
	assert_int_equal(b->set(&s.dev, s.in_fd, &s.conf, true, &e), -ESRCH);
	assert_true(has_socket("wgtkill"));
	end_side(b, &s);
	assert_false(has_socket("wgtkill"));
}

static void test_reused_pid_is_left_alone(void **state)
{
	const struct backend *b = need(state);
	struct side s;

	begin_side(&s, "wgtreuse");
	pid_t bystander = fork();
	if (bystander == 0) {
		for (;;)
			pause();
	}
	s.dev.pid = bystander;
	assert_int_equal(proc_start_time(bystander, &s.dev.start_time), 0);
	s.dev.start_time--; /* the one before it with this number */
	assert_ok(b->destroy(&s.dev, s.out_fd, s.in_fd, &e));
	assert_int_equal(waitpid(bystander, NULL, WNOHANG), 0); /* still there */
	assert_true(is_running(bystander));
	assert_int_equal(kill(bystander, SIGKILL), 0);
	assert_int_equal(waitpid(bystander, NULL, 0), bystander);
	end_side(b, &s);
}

static void test_daemon_without_record_is_found(void **state)
{
	const struct backend *b = need(state);
	struct side s;

	begin_daemon(&s, "wgtlost");
	pid_t pid = s.dev.pid;
	s.dev.pid = 0;
	s.dev.start_time = 0;
	end_side(b, &s);
	assert_false(is_running(pid));
	assert_false(has_socket("wgtlost"));
}

static void write_program(const char *path, const char *text)
{
	AUTO_FD int dir_fd = open("/run", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_replace_file_at(dir_fd, path, text, strlen(text), 0755, &e), 0);
}

static void test_daemon_that_fails_says_why(void **state)
{
	static const struct {
		const char *daemon, *log;
		int rc;
		const char *says;
	} rows[] = {
		{ "/run/absent", LOG, -ENOENT, "No such file" },
		{ "/run/words", LOG, -ECHILD, "exit status 3): the last words?" },
		{ "/run/words", "", -ECHILD, "exit status 3)" },
		{ "/run/silent", LOG, -ECHILD, "ended at once (exit status 0)" },
		{ "/run/dies", LOG, -ECHILD, "signal 9" },
		{ "/run/words", "/run", -EISDIR, "log /run" },
	};
	const struct backend *b = need(state);

	write_program(
		"words",
		"#!/bin/sh\necho first >&2\nprintf 'the last words\\001\\n\\n' >&2\nexit 3\n");
	write_program("silent", "#!/bin/sh\nexit 0\n");
	write_program("dies", "#!/bin/sh\nkill -9 $$\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct side s;
		begin_side(&s, "wgtfail");
		(void)snprintf(s.dev.daemon, sizeof(s.dev.daemon), "%s", rows[i].daemon);
		(void)snprintf(s.dev.log_path, sizeof(s.dev.log_path), "%s", rows[i].log);
		int rc = b->create(&s.dev, s.out_fd, &e);
		if (rc != rows[i].rc || !strstr(e.text, rows[i].says))
			fail_msg("row %zu: %d, %s", i, rc, e.text);
		assert_int_equal(s.dev.pid, 0);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
		assert_int_equal(errno, ECHILD);
		end_side(b, &s);
	}
}

static void test_create_sweeps_and_refuses(void **state)
{
	const struct backend *b = need(state);
	struct side s, second;

	begin_daemon(&s, "wgttwice");
	begin_side(&second, "wgttwice");
	assert_int_equal(b->create(&second.dev, second.out_fd, &e), -EEXIST);
	assert_int_equal(e.kind, ERR_KIND_STATE);
	assert_int_equal(kill(s.dev.pid, SIGKILL), 0);
	assert_int_equal(waitpid(s.dev.pid, NULL, 0), s.dev.pid);
	assert_true(has_socket("wgttwice")); /* stale now */
	assert_ok(b->create(&second.dev, second.out_fd, &e));
	end_side(b, &second);
	end_side(b, &s);
}

static void test_daemon_survives_its_parent(void **state)
{
	const struct backend *b = need(state);
	struct side s;
	struct wg_device got;
	int ends[2];

	begin_side(&s, "wgtorphan");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		int rc = b->create(&s.dev, s.out_fd, &e);
		_exit(rc == 0 && write(ends[1], &s.dev, sizeof(s.dev)) == sizeof(s.dev) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], &s.dev, sizeof(s.dev)), sizeof(s.dev));
	close(ends[0]);
	close(ends[1]);
	assert_ok(b->get(&s.dev, s.in_fd, &got, &e));
	wg_device_free(&got);
	end_side(b, &s);
}

/* a daemon that writes down how it was started, and ends; a shell that waits for a child blocks signals itself */
static const char witness[] =
	"#!/bin/sh\n"
	"tr '\\000' '\\n' </proc/$$/environ\n"
	"echo end of environment\n"
	"while read -r l; do case $l in Sig*|Cap*) echo $l ;; esac; done </proc/$$/status\n"
	"grep 'core file' /proc/$$/limits\n"
	"echo session $(cut -d' ' -f6 /proc/$$/stat) is $$\n"
	"echo folder $(readlink /proc/$$/cwd), mask $(umask)\n"
	"ls -l /proc/$$/fd >&2\n";

static void test_daemon_inherits_nothing(void **state)
{
	const struct backend *b = need(state);
	struct side s;
	sigset_t usr1, old;
	AUTO_FREE char *text = NULL;
	size_t len;
	unsigned session, pid;

	write_program("witness", witness);
	write_program("leaked", "");
	begin_side(&s, "wgtclean");
	(void)snprintf(s.dev.daemon, sizeof(s.dev.daemon), "/run/witness");
	(void)snprintf(s.dev.log_path, sizeof(s.dev.log_path), "/run/witness.log");

	/* a descriptor that is not close-on-exec, a blocked and an ignored signal, a variable */
	int leak_fd = open("/run/leaked", O_RDONLY);
	assert_true(leak_fd >= 0);
	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &usr1, &old), 0);
	assert_true(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
	assert_int_equal(setenv("LEAKED", "1", 1), 0);
	assert_int_equal(b->create(&s.dev, s.out_fd, &e), -ECHILD);
	(void)signal(SIGUSR2, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	close(leak_fd);

	assert_ok(fd_read_file_at(AT_FDCWD, "/run/witness.log", 1 << 16, &text, &len, &e));
	static const char head[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLOG_LEVEL=error\n"
				   "WG_PROCESS_FOREGROUND=1\n"
				   "end of environment\n";
	assert_memory_equal(text, head, strlen(head));
	assert_non_null(strstr(text, "SigBlk: 0000000000000000"));
	/* 32 and 33 are libc's own, and nobody can set them: make(1) starts its commands with both ignored */
	const char *ignored = strstr(text, "SigIgn: ");
	assert_non_null(ignored);
	assert_int_equal(strtoull(ignored + 8, NULL, 16) & ~0x180000000ull, 0);
	/* CAP_NET_BIND_SERVICE 10 and CAP_NET_ADMIN 12 */
	assert_non_null(strstr(text, "CapPrm: 0000000000001400"));
	assert_non_null(strstr(text, "CapEff: 0000000000001400"));
	assert_non_null(strstr(text, "CapBnd: 0000000000001400"));
	assert_non_null(strstr(text, "CapInh: 0000000000000000"));
	assert_non_null(strstr(text, "Max core file size        1 "));
	assert_non_null(strstr(text, "folder /, mask 0077"));
	const char *at = strstr(text, "session ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "session %u is %u", &session, &pid), 2);
	assert_int_equal(session, pid);
	assert_non_null(strstr(text, "/run/witness.log")); /* the list of descriptors is there */
	assert_non_null(strstr(text, "0 -> /dev/null"));
	assert_null(strstr(text, "leaked"));
	end_side(b, &s);
}

static void test_sockets_are_roots(void **state)
{
	const struct backend *b = need(state);
	struct side s;
	struct stat st;

	begin_daemon(&s, "wgtmode");
	assert_int_equal(stat(SOCKETS "/wgtmode.sock", &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
	end_side(b, &s);

	/* a folder that others may write to gets no keys */
	assert_int_equal(chmod(SOCKETS, 0777), 0);
	begin_side(&s, "wgtmode");
	assert_int_equal(b->create(&s.dev, s.out_fd, &e), -EPERM);
	assert_int_equal(chmod(SOCKETS, 0755), 0);
	end_side(b, &s);
}

static void test_refused_set_is_said(void **state)
{
	const struct backend *b = need(state);
	struct side s;
	const struct wg_device conf = { .has_listen_port = true, .listen_port = 51820 };

	begin_daemon(&s, "wgtport");
	/* the port is taken when the device is up, so both sides of it are */
	assert_int_equal(run_in(s.out_fd, "ip link set wgtport up"), 0);
	int taken_fd = udp_socket_in(s.out_fd, "0.0.0.0", 51820);
	int rc = 0;
	for (int tries = 0; tries < 300 && rc == 0; tries++) {
		rc = b->set(&s.dev, s.in_fd, &conf, false, &e);
		struct pollfd nothing = { .fd = -1 };
		if (rc == 0)
			(void)poll(&nothing, 1, 10);
	}
	assert_int_equal(rc, -EADDRINUSE);
	assert_non_null(strstr(e.text, "the daemon refuses"));
	close(taken_fd);
	end_side(b, &s);
}

static int listen_on(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void test_link_socket(void **state)
{
	const struct backend *b = need(state);
	struct side s;
	char target[64] = "";

	begin_daemon(&s, "wgtlink");
	move_inside(&s);
	assert_ok(backend_link_socket(&s.dev, &e));
	assert_ok(backend_link_socket(&s.dev, &e)); /* there already */
	assert_true(readlink(SOCKETS "/wg0.sock", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "wgtlink.sock");
	assert_int_equal(run_in(s.in_fd, "wg show wg0 | grep -q 'interface: wg0'"), 0);
	assert_ok(backend_unlink_socket(&s.dev, &e));
	assert_ok(backend_unlink_socket(&s.dev, &e));
	assert_false(has_socket("wg0"));

	/* somebody else's, alive: neither replaced nor removed */
	int other_fd = listen_on(SOCKETS "/wg0.sock");
	assert_int_equal(backend_link_socket(&s.dev, &e), -EEXIST);
	assert_int_equal(e.kind, ERR_KIND_STATE);
	assert_ok(backend_unlink_socket(&s.dev, &e));
	assert_true(has_socket("wg0"));
	close(other_fd); /* dead now */
	assert_ok(backend_link_socket(&s.dev, &e));

	/* what a killed daemon left */
	assert_int_equal(unlink(SOCKETS "/wg0.sock"), 0);
	assert_int_equal(symlink("wgtgone.sock", SOCKETS "/wg0.sock"), 0);
	assert_ok(backend_unlink_socket(&s.dev, &e)); /* not ours */
	assert_true(has_socket("wg0"));
	assert_ok(backend_link_socket(&s.dev, &e));

	/* a folder of that name */
	assert_int_equal(unlink(SOCKETS "/wg0.sock"), 0);
	assert_int_equal(mkdir(SOCKETS "/wg0.sock", 0700), 0);
	assert_int_equal(backend_link_socket(&s.dev, &e), -EEXIST);
	assert_int_equal(rmdir(SOCKETS "/wg0.sock"), 0);

	assert_ok(backend_link_socket(&s.dev, &e));
	end_side(b, &s);
	assert_false(has_socket("wg0")); /* goes with the device */
}

#define ON_DAEMON(test)                                                                            \
	{                                                                                          \
#test, test, NULL, NULL, &over                                                     \
	}

int main(void)
{
	static const struct backend *over = &backend_userspace;
	const struct CMUnitTest tests[] = {
		ON_DAEMON(test_killed_daemon_is_named),
		ON_DAEMON(test_reused_pid_is_left_alone),
		ON_DAEMON(test_daemon_without_record_is_found),
		ON_DAEMON(test_daemon_that_fails_says_why),
		ON_DAEMON(test_create_sweeps_and_refuses),
		ON_DAEMON(test_daemon_survives_its_parent),
		ON_DAEMON(test_daemon_inherits_nothing),
		ON_DAEMON(test_sockets_are_roots),
		ON_DAEMON(test_refused_set_is_said),
		ON_DAEMON(test_link_socket),
	};

	return cmocka_run_group_tests(tests, make_private, NULL);
}
