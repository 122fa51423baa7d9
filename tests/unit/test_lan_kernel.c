// SPDX-License-Identifier: GPL-2.0-or-later
/* lan_sync() and lan_check() in two network namespaces of their own */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/engine.h"
#include "wgns/fd.h"
#include "wgns/guard.h"
#include "wgns/lan.h"
#include "wgns/lan_sync.h"

static int physical_fd = -1; /* the test itself is in home */
static char run_path[] = "/tmp/wgns-lan.XXXXXX";

static void configure(const char *command, const char *lines)
{
	FILE *ip = popen(command, "w");

	assert_non_null(ip);
	assert_true(fputs(lines, ip) >= 0);
	assert_int_equal(pclose(ip), 0);
}

#define HOME "ip -batch -"

/* in physical: by entering it */
static void configure_physical(const char *lines)
{
	AUTO_FD int home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_int_equal(setns(physical_fd, CLONE_NEWNET), 0);
	configure(HOME, lines);
	assert_int_equal(setns(home_fd, CLONE_NEWNET), 0);
}

static int make_namespaces(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: no permission to make network namespaces (%s)\n",
			      strerror(errno));
		return getenv("WGNS_MUST_RUN") ? -1 : 0;
	}
	physical_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	configure(HOME, "link add up0 type veth peer name far0\n"
			"addr add 192.168.7.5/24 dev up0\n"
			"addr add fd00:7::5/64 dev up0 nodad\n"
			"link set up0 up\n"
			"link set far0 up\n");
	if (unshare(CLONE_NEWNET) < 0 || !mkdtemp(run_path))
		return -1;
	return physical_fd < 0 ? -1 : 0;
}

static int drop_namespaces(void **state)
{
	(void)state;
	fd_close_indirect(&physical_fd);
	return rmdir(run_path) < 0 && errno != ENOENT ? -1 : 0;
}

static void open_env(struct op_env *env)
{
	op_env_init(env);
	env->run_fd = open(run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	env->home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	env->physical_fd = fcntl(physical_fd, F_DUPFD_CLOEXEC, 0);
	env->has_snap = true; /* of no uplink */
	assert_true(env->run_fd >= 0 && env->home_fd >= 0 && env->physical_fd >= 0);
}

static void close_env(struct op_env *env)
{
	fd_close_indirect(&env->run_fd);
	op_env_close(env);
}

static void make_pair(struct op_env *env)
{
	struct nl *home;
	struct nl_msg m;
	struct err e;

	assert_int_equal(op_env_nl_home(env, &home, &e), 0);
	rtnl_build_veth(&m, LAN_DEVICE, LAN_DEVICE, env->physical_fd);
	assert_int_equal(nl_talk(home, &m, &e), 0);
	/* both or none: the second time a name is taken */
	rtnl_build_veth(&m, "other", LAN_DEVICE, env->physical_fd);
	assert_int_equal(nl_talk(home, &m, &e), -EEXIST);
	configure(HOME, "addr add 169.254.255.2/31 dev " LAN_DEVICE "\n"
			"addr add fd4e:8a1c:b0d7::2/127 dev " LAN_DEVICE " nodad\n"
			"link set " LAN_DEVICE " up\n");
	configure_physical("addr add 169.254.255.3/31 dev " LAN_DEVICE "\n"
			   "addr add fd4e:8a1c:b0d7::3/127 dev " LAN_DEVICE " nodad\n"
			   "link set " LAN_DEVICE " up\n");
}

static void is_right(struct op_env *env, const struct lan_change *change)
{
	char why[256] = "x";
	struct err e;

	assert_int_equal(lan_check(env, change, why, sizeof(why), &e), 1);
	assert_string_equal(why, "");
}

/* what is broken is said, and mended by lan_sync() */
static void is_mended(struct op_env *env, const struct lan_change *change, const char *what)
{
	char why[256] = "";
	struct err e;

	assert_int_equal(lan_check(env, change, why, sizeof(why), &e), 1);
	if (!strstr(why, what))
		fail_msg("'%s' is not in '%s'", what, why);
	assert_int_equal(lan_sync(env, change, &e), 0);
	is_right(env, change);
}

static void test_lan_follows_the_uplink(void **state)
{
	static char name[] = "up0";
	char *const names[] = { name };
	const struct lan_change change = { .more = names, .n_more = 1 };
	const struct lan_guard shut = { .device = LAN_DEVICE };
	AUTO_NL struct nl *nl = NULL;
	struct op_env env;
	char why[256];
	struct err e;

	(void)state;
	if (physical_fd < 0)
		skip();
	open_env(&env);
	assert_int_equal(lan_check(&env, &change, why, sizeof(why), &e), 0);
	assert_int_equal(lan_sync(&env, &change, &e), 0);
	make_pair(&env);
	assert_int_equal(lan_sync(&env, &change, &e), 0);
	is_right(&env, &change);
	assert_int_equal(system("[ $(ip route show proto 119 | wc -l) = 1 ] && "
				"[ $(ip -6 route show proto 119 | wc -l) = 1 ]"),
			 0);

	configure(HOME, "route del 192.168.7.0/24 dev " LAN_DEVICE "\n");
	is_mended(&env, &change, "home has no route to 192.168.7.0/24");
	configure_physical("addr add 10.7.0.5/24 dev up0\naddr del 192.168.7.5/24 dev up0\n");
	is_mended(&env, &change, "chain forward");
	assert_int_equal(guard_open_in(env.physical_fd, &nl, &e), 0);
	assert_int_equal(lan_guard_set(nl, &shut, &e), 0);
	nl_close(&nl); /* a table belongs to its socket */
	is_mended(&env, &change, "chain forward");

	configure(HOME, "route add 203.0.113.0/24 dev " LAN_DEVICE "\n");
	assert_int_equal(lan_check(&env, &change, why, sizeof(why), &e), 1);
	assert_non_null(strstr(why, "home has a route to 203.0.113.0/24"));
	/* somebody's own, which leads nowhere: it is named, and stays */
	assert_int_equal(lan_sync(&env, &change, &e), 0);
	assert_int_equal(system("ip route show 203.0.113.0/24 | grep -q " LAN_DEVICE), 0);

	/* no uplink has anything any more */
	assert_int_equal(lan_sync(&env, NULL, &e), 0);
	assert_int_equal(system("[ $(ip route show proto 119 | wc -l) = 0 ] && "
				"[ $(ip -6 route show proto 119 | wc -l) = 0 ]"),
			 0);
	configure(HOME, "link del " LAN_DEVICE "\n");
	assert_int_equal(lan_check(&env, &change, why, sizeof(why), &e), 0);
	close_env(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lan_follows_the_uplink) };

	return cmocka_run_group_tests(tests, make_namespaces, drop_namespaces);
}
