// SPDX-License-Identifier: GPL-2.0-or-later
/* what is kept under /run/wgns, and what is made of it when it is damaged */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wgns/fd.h"
#include "wgns/snapshot.h"
#include "wgns/state.h"

struct folder {
	char path[64];
	int fd;
};

static int make_folder(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/wgns-state.XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY);
	*state = f;
	return f->fd < 0 || mkdirat(f->fd, "tunnel", 0755) < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;
	struct err e;
	int rc = state_remove_tree(f->fd, "tunnel/home:wg0", &e);

	if (rc == 0)
		rc = unlinkat(f->fd, "tunnel", AT_REMOVEDIR);
	(void)close(f->fd);
	if (rc == 0)
		rc = rmdir(f->path);
	free(f);
	return rc;
}

static const struct state_tunnel sample = {
	.place = "home",
	.layout = "physical",
	.birthplace = "physical",
	.backend = "userspace",
	.device = { .birth_name = "wgns0123abcd",
		    .name = "wg0",
		    .daemon = "/usr/bin/wireguard-go",
		    .pid = 4711,
		    .start_time = 18446744073709551615ull,
		    .log_path = "/run/wgns/tunnel/home:wg0/daemon.log" },
	.file = "/etc/wireguard/a name with\nodd = bytes.conf",
	.dns = "file",
	.since = 1700000000,
	.is_ending = true,
	.home = { 4, 4026531840 },
	.birth = { 4, 4026532222 },
};

static void write_sample(const struct folder *f)
{
	struct err e;

	assert_int_equal(state_mkdir(f->fd, "tunnel/home:wg0", 0700, 0, &e), 0);
	assert_int_equal(state_tunnel_write(f->fd, &sample, &e), 0);
}

static void test_state_tunnel_round_trip(void **state)
{
	const struct folder *f = *state;
	struct state_tunnel back;
	struct stat st;
	struct err e;

	if (geteuid() != 0)
		skip(); /* chown to root */
	write_sample(f);
	assert_int_equal(state_tunnel_read(f->fd, "home", "wg0", &back, &e), 0);
	assert_memory_equal(&back, &sample, sizeof(back));
	assert_int_equal(fstatat(f->fd, "tunnel/home:wg0/meta", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(f->fd, "tunnel/home:wg0", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_state_tunnel_damaged_is_still_listed(void **state)
{
	const struct folder *f = *state;
	struct state_tunnel *list, back;
	struct err e;
	size_t n;

	if (geteuid() != 0)
		skip(); /* chown to root */
	write_sample(f);
	int dir = openat(f->fd, "tunnel/home:wg0", O_RDONLY | O_DIRECTORY);
	assert_int_equal(fd_replace_file_at(dir, "meta", "place=home\npid=-1\n", 18, 0600, &e), 0);
	(void)close(dir);
	assert_int_equal(state_tunnel_read(f->fd, "home", "wg0", &back, &e), -EINVAL);
	assert_int_equal(state_tunnels(f->fd, &list, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].device.name, "wg0");
	assert_string_equal(list[0].place, "home");
	assert_string_equal(list[0].backend, "");
	free(list);
}

/* what a version before wrote, and a file that was cut at any byte */
static void test_state_tunnel_older_and_cut(void **state)
{
	static const char text[] = "version=1\nplace=home\nname=wg0\nsince=12\nfile=2f61\n";
	const struct folder *f = *state;
	struct state_tunnel back;
	struct err e;

	if (geteuid() != 0)
		skip(); /* chown to root */
	write_sample(f);
	int dir = openat(f->fd, "tunnel/home:wg0", O_RDONLY | O_DIRECTORY);
	for (size_t len = 0; len < strlen(text); len++) {
		assert_int_equal(fd_replace_file_at(dir, "meta", text, len, 0600, &e), 0);
		assert_int_equal(state_tunnel_read(f->fd, "home", "wg0", &back, &e), -EINVAL);
		assert_non_null(strstr(e.text, " line "));
	}
	assert_int_equal(fd_replace_file_at(dir, "meta", text, strlen(text), 0600, &e), 0);
	assert_int_equal(state_tunnel_read(f->fd, "home", "wg0", &back, &e), 0);
	assert_false(state_tunnel_is_half(&back));
	(void)close(dir);
}

static void test_state_openat_follows_no_symlink(void **state)
{
	const struct folder *f = *state;
	struct err e;

	assert_int_equal(symlinkat("/etc", f->fd, "tunnel/home:wg0"), 0);
	assert_int_equal(state_openat(f->fd, "tunnel/home:wg0/passwd", O_RDONLY, &e), -ELOOP);
	assert_int_equal(state_openat(f->fd, "../../etc/passwd", O_RDONLY, &e), -EXDEV);
	assert_int_equal(state_openat(f->fd, "/etc/passwd", O_RDONLY, &e), -EXDEV);
	assert_int_equal(unlinkat(f->fd, "tunnel/home:wg0", 0), 0);
}

static void test_state_remove_tree_absent(void **state)
{
	const struct folder *f = *state;
	struct err e;

	assert_int_equal(state_remove_tree(f->fd, "tunnel/home:none", &e), 0);
}

static void test_snapshot_parse_damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"wgns-snapshot 2\nend\n",
		"wgns-snapshot 1\n",
		"wgns-snapshot 1\nlink 00\nend\n",
		"wgns-snapshot 1\naddr 0\nend\n",
		"wgns-snapshot 1\nroute zz\nend\n",
		/* says that it is longer than it is */
		"wgns-snapshot 1\nroute ff000000180000000000000000000000\nend\n",
		"wgns-snapshot 1\nsysctl eth0 ../../kernel/core_pattern |x\nend\n",
		"wgns-snapshot 1\nsysctl eth0 /etc/passwd x\nend\n",
		"wgns-snapshot 1\nsysctl a-name-that-is-too-long ipv4/conf/x 1\nend\n",
		"wgns-snapshot 1\nsysctl eth0\nend\n",
		"wgns-snapshot 1\nwhat 00\nend\n",
		"wgns-snapshot 1\nwdev wlan0 3\nend\n",
		"wgns-snapshot 1\nwdev a-name-that-is-too-long 3 300000001\nend\n",
		"wgns-snapshot 1\nwdev wlan0 3 300000001 x\nend\n",
		"wgns-snapshot 1\nwdev wlan0 x 300000001\nend\n",
	};
	struct snapshot s;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(snapshot_parse(texts[i], strlen(texts[i]), &s, &e), -EINVAL);
		assert_non_null(strstr(e.text, "damaged at line"));
	}
}

static void test_snapshot_parse_sysctl(void **state)
{
	static const char text[] = "wgns-snapshot 1\nsysctl eth0 ipv4/conf/x a b\tc\nend\n";
	struct snapshot s;
	struct err e;

	(void)state;
	assert_int_equal(snapshot_parse(text, strlen(text), &s, &e), 0);
	assert_int_equal(s.n_sysctls, 1);
	assert_string_equal(s.sysctls[0].value, "a b\tc");
	snapshot_free(&s);
}

static void test_snapshot_keeps_wireless_devices(void **state)
{
	const struct folder *f = *state;
	static const char text[] = "wgns-snapshot 1\nwdev wlan0 3 300000001\nwdev (a) 4294967295 "
				   "ffffffff00000002\nend\n";
	struct snapshot s, again;
	struct err e;

	assert_int_equal(snapshot_parse(text, strlen(text), &s, &e), 0);
	assert_int_equal(snapshot_write(&s, f->fd, "snapshot", &e), 0);
	assert_int_equal(snapshot_read(f->fd, "snapshot", &again, &e), 0);
	assert_int_equal(again.n_wdevs, 2);
	assert_int_equal(snapshot_find_wdev(&again, "wlan0")->phy, 3);
	assert_true(snapshot_find_wdev(&again, "(a)")->id == 0xffffffff00000002);
	assert_int_equal(snapshot_find_wdev(&again, "(a)")->phy, UINT32_MAX);
	assert_null(snapshot_find_wdev(&again, "eth0"));
	assert_int_equal(unlinkat(f->fd, "snapshot", 0), 0);
	snapshot_free(&s);
	snapshot_free(&again);
}

static struct rtnl_link device(const char *name, int ifindex, uint8_t last_byte, bool is_permanent)
{
	struct rtnl_link link = { .ifindex = ifindex,
				  .hwaddr_len = 6,
				  .hwaddr = { 2, 0, 0, 0, 0, last_byte } };

	strcpy(link.name, name);
	if (is_permanent) {
		link.permaddr_len = 6;
		memcpy(link.permaddr, link.hwaddr, 6);
	}
	return link;
}

static void test_snapshot_find_link(void **state)
{
	struct rtnl_link items[] = {
		device("eth0", 7, 9, false), /* somebody else's of the same name */
		device("lan", 8, 1, false), /* ours, renamed */
		device("card", 9, 2, true),
	};
	const struct rtnl_links now = { items, 3 };
	const struct rtnl_link renamed = device("eth0", 2, 1, false);
	const struct rtnl_link gone = device("usb0", 3, 5, false);
	struct rtnl_link changed = device("card", 4, 2, true);

	(void)state;
	assert_ptr_equal(snapshot_find_link(&now, &renamed), &items[1]);
	assert_null(snapshot_find_link(&now, &gone));
	/* a hardware address can be changed, the permanent one cannot */
	changed.hwaddr[5] = 77;
	assert_ptr_equal(snapshot_find_link(&now, &changed), &items[2]);
	changed.permaddr[5] = 78;
	assert_null(snapshot_find_link(&now, &changed));
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_state_tunnel_round_trip),
		WITH_FOLDER(test_state_tunnel_damaged_is_still_listed),
		WITH_FOLDER(test_state_tunnel_older_and_cut),
		WITH_FOLDER(test_state_openat_follows_no_symlink),
		WITH_FOLDER(test_state_remove_tree_absent),
		cmocka_unit_test(test_snapshot_parse_damaged),
		cmocka_unit_test(test_snapshot_parse_sysctl),
		WITH_FOLDER(test_snapshot_keeps_wireless_devices),
		cmocka_unit_test(test_snapshot_find_link),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
