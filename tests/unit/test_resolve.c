// SPDX-License-Identifier: GPL-2.0-or-later
/* Names come from a hosts file that lies over /etc, in a namespace of the test's own: nothing is asked of a network. */
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
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wgns/fd.h"
#include "wgns/hook.h"
#include "wgns/netns.h"
#include "wgns/resolve.h"

static const struct resolve_policy once = { .n_retries = 0, .timeout_ms = 60000 };

#define BOX "/run/test-box"

struct box {
	const char *etc;
	int ns_fd;
};

static void write_file(const char *dir, const char *name, const char *text)
{
	struct err e = { 0 };
	AUTO_FD int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_replace_file_at(dir_fd, name, text, strlen(text), 0644, &e), 0);
}

/* a namespace with lo up and a v4 route, and no resolver that answers */
static int setup_box(void **state)
{
	static const char *const folders[] = { "/run/nscd", "/run/systemd", "/run/systemd/resolve",
					       BOX, BOX "/etc" };
	static struct box box = { .etc = BOX "/etc" };
	struct err e = { 0 };

	if (geteuid() != 0) {
		*state = NULL;
		return 0;
	}
	/* what `up` makes, in mounts of the test's own */
	assert_return_code(unshare(CLONE_NEWNS), errno);
	assert_return_code(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), errno);
	assert_return_code(mount("run", "/run", "tmpfs", 0, "mode=0755"), errno);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		assert_return_code(mkdir(folders[i], 0755), errno);
	write_file(box.etc, "nsswitch.conf", "hosts: files dns\n");
	write_file(box.etc, "resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n");
	write_file(box.etc, "hosts",
		   "198.51.100.7 four.example\n"
		   "2001:db8::7 six.example\n"
		   "2001:db8::8 both.example\n"
		   "198.51.100.8 both.example\n");
	box.ns_fd = netns_create(&e);
	assert_return_code(box.ns_fd, -box.ns_fd);
	assert_int_equal(hook_run("ip link set lo up; ip route add 198.51.100.0/24 dev lo", "lo",
				  box.ns_fd, &e),
			 0);
	*state = &box;
	return 0;
}

static int teardown_box(void **state)
{
	struct box *box = *state;

	if (!box)
		return 0;
	assert_return_code(umount2("/run", MNT_DETACH), errno);
	return close(box->ns_fd);
}

static struct box *require_box(void **state)
{
	if (!*state) {
		print_message("needs root: makes namespaces\n");
		skip();
	}
	return *state;
}

static void add_peer(struct wg_device *dev, const char *host, const char *port)
{
	struct wg_peer *p = wg_device_add_peer(dev);

	assert_non_null(p);
	memset(p->public_key.bytes, (int)dev->n_peers, KEY_LEN);
	p->endpoint_host = strdup(host);
	p->endpoint_port = strdup(port);
	assert_true(p->endpoint_host && p->endpoint_port);
}

static void test_resolve_numeric_needs_nothing(void **state)
{
	(void)state;
	struct wg_device dev = { 0 };
	struct err e = { 0 };
	char text[WG_ENDPOINT_TEXT_MAX];

	add_peer(&dev, "192.0.2.1", "51820");
	add_peer(&dev, "2001:db8::1", "1");
	assert_non_null(wg_device_add_peer(&dev)); /* without endpoint */
	/* neither the namespace nor the folder exists: nobody went there */
	assert_int_equal(resolve_endpoints(&dev, 999, "/nonexistent", &once, &e), 0);
	wg_endpoint_format(&dev.peers[0].endpoint, text);
	assert_string_equal(text, "192.0.2.1:51820");
	wg_endpoint_format(&dev.peers[1].endpoint, text);
	assert_string_equal(text, "[2001:db8::1]:1");
	assert_int_equal(wg_endpoint_len(&dev.peers[2].endpoint), 0);
	wg_device_free(&dev);
}

static void test_resolve_names_in_the_box(void **state)
{
	static const struct {
		const char *host, *port, *text;
	} rows[] = {
		{ "four.example", "51820", "198.51.100.7:51820" },
		{ "192.0.2.9", "7", "192.0.2.9:7" },
		{ "six.example", "domain", "[2001:db8::7]:53" },
		{ "both.example", "9", "198.51.100.8:9" }, /* the one with a route */
		{ "fe80::1%lo", "51820", "[fe80::1%1]:51820" },
		{ "fe80::2%1", "51820", "[fe80::2%1]:51820" },
	};
	const struct box *box = require_box(state);
	struct wg_device dev = { 0 };
	struct err e = { 0 };
	char text[WG_ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add_peer(&dev, rows[i].host, rows[i].port);
	if (resolve_endpoints(&dev, box->ns_fd, BOX, &once, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wg_endpoint_format(&dev.peers[i].endpoint, text);
		assert_string_equal(text, rows[i].text);
	}
	wg_device_free(&dev);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void test_resolve_says_whose_endpoint_and_why(void **state)
{
	static const struct {
		const char *host;
		const char *text;
	} rows[] = {
		{ "nonesuch.example", "nonesuch.example: Temporary failure in name resolution" },
		{ "fe80::1%nonesuch0", "fe80::1%nonesuch0: Name or service not known" },
		{ "", ": Name or service not known" },
	};
	const struct box *box = require_box(state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wg_device dev = { 0 };
		struct err e = { 0 };
		char want[256];

		add_peer(&dev, "four.example", "1");
		add_peer(&dev, rows[i].host, "1");
		(void)snprintf(want, sizeof(want),
			       "resolve the endpoint of peer "
			       "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=: %s",
			       rows[i].text);
		assert_true(resolve_endpoints(&dev, box->ns_fd, BOX, &once, &e) < 0);
		assert_string_equal(e.text, want);
		wg_device_free(&dev);
	}
}

static void count_pauses(const char *text, unsigned pause, void *ctx)
{
	unsigned *sum = ctx;

	assert_non_null(strstr(text, "nonesuch.example"));
	*sum += pause;
}

static void test_resolve_tries_again(void **state)
{
	const struct box *box = require_box(state);
	struct wg_device dev = { 0 };
	struct err e = { 0 };
	unsigned pauses = 0;
	const struct resolve_policy twice = {
		.n_retries = 2, .timeout_ms = 60000, .notice = count_pauses, .ctx = &pauses
	};

	add_peer(&dev, "nonesuch.example", "1");
	assert_int_equal(resolve_endpoints(&dev, box->ns_fd, BOX, &twice, &e), -EAGAIN);
	assert_int_equal(pauses, 1000 + 1200);
	wg_device_free(&dev);
}

static void test_resolve_gives_up_in_time(void **state)
{
	const struct box *box = require_box(state);
	struct wg_device dev = { 0 };
	struct err e = { 0 };
	const struct resolve_policy hasty = { .n_retries = 1000, .timeout_ms = 50 };

	add_peer(&dev, "nonesuch.example", "1");
	assert_int_equal(resolve_endpoints(&dev, box->ns_fd, BOX, &hasty, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "no answer in time"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	wg_device_free(&dev);
}

static void test_resolve_fails_where_it_cannot_seal(void **state)
{
	const struct box *box = require_box(state);
	struct wg_device dev = { 0 };
	struct err e = { 0 };

	add_peer(&dev, "four.example", "1");
	assert_true(resolve_endpoints(&dev, box->ns_fd, "/nonexistent", &once, &e) < 0);
	assert_non_null(strstr(e.text, "resolve endpoints: mount an overlay on /etc: "));
	assert_int_equal(resolve_endpoints(&dev, box->ns_fd, "/tmp,upperdir=/", &once, &e),
			 -EINVAL);
	assert_return_code(rmdir("/run/nscd"), errno);
	assert_int_equal(resolve_endpoints(&dev, box->ns_fd, BOX, &once, &e), -ENOENT);
	assert_string_equal(e.text, "resolve endpoints: hide /run/nscd: No such file or directory");
	assert_return_code(mkdir("/run/nscd", 0755), errno);
	AUTO_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(resolve_endpoints(&dev, null, BOX, &once, &e), -EINVAL);
	assert_string_equal(e.text, "resolve endpoints: enter the network namespace (out of a user "
				    "namespace?): Invalid argument");
	wg_device_free(&dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve_numeric_needs_nothing),
		cmocka_unit_test(test_resolve_names_in_the_box),
		cmocka_unit_test(test_resolve_says_whose_endpoint_and_why),
		cmocka_unit_test(test_resolve_tries_again),
		cmocka_unit_test(test_resolve_gives_up_in_time),
		cmocka_unit_test(test_resolve_fails_where_it_cannot_seal),
	};

	return cmocka_run_group_tests(tests, setup_box, teardown_box);
}
