// SPDX-License-Identifier: GPL-2.0-or-later
/* agents: their arguments, and what a lease may say */
#include "plan_fixture.h"

#include "wgns/agents_argv.h"
#include "wgns/leasetext.h"
#include "wgns/str.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static size_t split(const char *text, char **argv, char *buf, size_t cap)
{
	size_t n = 0;

	(void)snprintf(buf, cap, "%s", text);
	char *rest = buf;
	for (char *word = strsep(&rest, "|"); word && n < 32; word = strsep(&rest, "|"))
		argv[n++] = word;
	return n;
}

static void join(const struct agents_argv *a, char *out, size_t cap)
{
	out[0] = '\0';
	for (size_t i = 0; i < a->argc; i++)
		(void)snprintf(out + strlen(out), cap - strlen(out), "%s%s", i ? "|" : "",
			       a->argv[i]);
}

static void test_agents_which_device(void **state)
{
	static const struct {
		const char *program, *argv, *device;
	} row[] = {
		{ "dhclient", "dhclient|-4|-v|-i|-pf|/run/dhclient.eth0.pid|-lf|/l|eth0", "eth0" },
		{ "dhclient", "/sbin/dhclient|-cf|eth1|eth0", "eth0" },
		{ "dhclient", "dhclient|eth0|eth1", "" },
		{ "dhclient", "dhclient|-nw", "" },
		{ "dhclient", "dhclient|name-that-is-too-long", "" },
		{ "udhcpc", "busybox|udhcpc|-i|wan0|-b", "wan0" },
		{ "udhcpc", "udhcpc|-qbiwan0", "wan0" },
		{ "udhcpc", "udhcpc|-s|-i|-i|wan0", "wan0" },
		{ "udhcpc", "udhcpc|-b", "eth0" },
		{ "udhcpc", "udhcpc|--interface|wan0", "wan0" },
		{ "dhcpcd", "dhcpcd: eth0 [ip4] [ip6]", "eth0" },
		{ "dhcpcd", "dhcpcd: [manager] [ip4]", "" },
		{ "dhcpcd", "dhcpcd|-c|eth9|-q|eth0", "eth0" },
		{ "wpa_supplicant", "wpa_supplicant|-B|-c|/etc/w.conf|-iwlan0", "wlan0" },
		{ "wpa_supplicant", "wpa_supplicant|-u|-s|-O|/run/wpa", "" },
		{ "wpa_supplicant", "wpa_supplicant|-i|wlan0|-c|a|-N|-i|wlan1|-c|b", "" },
	};
	char buf[512], *argv[32], device[IFNAMSIZ];

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		size_t n = split(row[i].argv, argv, buf, sizeof(buf));
		agents_device_of(row[i].program, argv, n, device);
		if (strcmp(device, row[i].device) != 0)
			fail_msg("%s: '%s', not '%s'", row[i].argv, device, row[i].device);
	}
}

static void test_agents_stay_in_front(void **state)
{
	static const struct {
		const char *program, *argv, *becomes;
	} row[] = {
		{ "dhclient", "dhclient|-1|-nw|-4|-pf|/p|eth0", "dhclient|-d|-4|-pf|/p|eth0" },
		/* an argument of an option is none of those that go */
		{ "dhclient", "dhclient|-H|-1|eth0", "dhclient|-d|-H|-1|eth0" },
		{ "dhclient", "dhclient|-cf|-q|eth0", "dhclient|-d|-cf|-q|eth0" },
		{ "udhcpc", "busybox|udhcpc|-i|eth0|-b|-S|-s|/old|-p|/p",
		  "busybox|udhcpc|-f|-O|114|-O|119|-O|121|-s|/ours|-i|eth0|-S|-p|/p" },
		{ "udhcpc", "udhcpc|-Rbnieth0|--now|--script=/old|-s/older",
		  "udhcpc|-f|-O|114|-O|119|-O|121|-s|/ours|-Rieth0" },
		{ "udhcpc", "udhcpc|-V|-b", "udhcpc|-f|-O|114|-O|119|-O|121|-s|/ours|-V|-b" },
		{ "dhcpcd", "dhcpcd|-b|-q|eth0", "dhcpcd|-B|-q|eth0" },
		{ "wpa_supplicant", "wpa_supplicant|-uBs|-c|/c|-i|wlan0",
		  "wpa_supplicant|-s|-c|/c|-i|wlan0" },
	};
	char buf[512], got[512], *argv[32];

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct agents_argv out = { 0 };
		size_t n = split(row[i].argv, argv, buf, sizeof(buf));
		assert_int_equal(agents_argv_for(row[i].program, argv, n, "/ours", &out), 0);
		join(&out, got, sizeof(got));
		if (strcmp(got, row[i].becomes) != 0)
			fail_msg("%s became %s, not %s", row[i].argv, got, row[i].becomes);
		agents_argv_free(&out);
	}
}

static void test_agents_of_a_title(void **state)
{
	char title[] = "dhcpcd: eth0 [ip4]", *argv[] = { title }, got[64];
	struct agents_argv out = { 0 };

	(void)state;
	assert_int_equal(agents_argv_in_home(argv, 1, &out), 0);
	join(&out, got, sizeof(got));
	assert_string_equal(got, "dhcpcd|-4|eth0");
	agents_argv_free(&out);
	/* whoever has written it does not choose options */
	char option[] = "dhcpcd: -c/tmp/x [ip4]", path[] = "dhcpcd: /tmp/x";
	char *hostile[] = { option, path }, name[] = "dhcpcd";
	for (size_t i = 0; i < N(hostile); i++) {
		assert_int_equal(agents_argv_in_home(hostile + i, 1, &out), -EINVAL);
		agents_argv_free(&out);
	}
	assert_true(agents_has_title(argv, 1));
	assert_false(agents_has_title((char *[]){ name, option }, 2));
}

static void test_leasetext_resolv(void **state)
{
	static const char text[] =
		"nameserver 127.0.0.53\nnameserver 192.0.2.1\nNAMESERVER 192.0.2.9\n"
		"nameserver 192.0.2.1\nnameserver 192.0.2.2; rm -rf /\nnameserver fe80::1%eth0\n"
		"nameserver fe80::1%e/0\nsearch $(reboot) `x` good.test -bad .bad\n"
		"search second.test\ndomain third.test\noptions ndots:2 $(x) edns0\n"
		"sortlist 10.0.0.0\nnameserver ::1\nnameserver 224.0.0.1\nnameserver 192.0.2.3\n"
		"nameserver 192.0.2.4";
	AUTO_STRBUF struct strbuf b = { 0 };

	(void)state;
	leasetext_resolv(text, strlen(text), &b);
	assert_string_equal(b.s, "nameserver 192.0.2.1\nnameserver fe80::1%eth0\n"
				 "search good.test\noptions ndots:2 edns0\nnameserver 192.0.2.3\n");
}

static void test_leasetext_bounds(void **state)
{
	static char text[200000];
	AUTO_STRBUF struct strbuf b = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i + 20 < sizeof(text); i += 20)
		memcpy(text + i, "nameserver 192.0.2.7\n", 20);
	leasetext_resolv(text, sizeof(text), &b);
	assert_true(b.len < 100);
	strbuf_free(&b);
	b = (struct strbuf){ 0 };
	/* one line of 64 KiB with a NUL in it */
	memset(text, ' ', sizeof(text));
	memcpy(text, "search\0x", 8);
	leasetext_resolv(text, sizeof(text), &b);
	assert_int_equal(b.len, 0);
}

static void test_leasetext_merge(void **state)
{
	static const char *const said[] = {
		"search a.test\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n",
		"",
		"nameserver 192.0.2.1\nnameserver 198.51.100.2\noptions edns0\n",
		"search d.test\nnameserver 127.0.0.1\nnameserver 203.0.113.1\n",
	};
	struct strbuf texts[N(said)] = { 0 };
	struct strbuf out = { 0 };

	(void)state;
	for (size_t i = 0; i < N(said); i++)
		strbuf_add(&texts[i], said[i], strlen(said[i]));
	/* each in turn, none twice */
	leasetext_merge(texts, N(said), &out);
	assert_string_equal(out.s, "nameserver 192.0.2.1\nnameserver 203.0.113.1\n"
				   "nameserver 192.0.2.2\nsearch a.test\noptions edns0\n");
	strbuf_free(&out);
	leasetext_merge(texts, 1, &out);
	assert_string_equal(out.s, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
				   "nameserver 192.0.2.3\nsearch a.test\n");
	strbuf_free(&out);
	leasetext_merge(texts, 0, &out);
	assert_int_equal(out.len, 0);
	strbuf_free(&out);
	for (size_t i = 0; i < N(said); i++)
		strbuf_free(&texts[i]);
}

static void test_leasetext_portal(void **state)
{
	static const struct {
		const char *text, *portal;
	} row[] = {
		{ "captive-portal https://portal.example/a?b=1#c",
		  "https://portal.example/a?b=1#c" },
		{ "captive-portal http://[2001:db8::1]/", "http://[2001:db8::1]/" },
		{ "captive-portal javascript:alert(1)", "" },
		{ "captive-portal https:///x", "" },
		{ "captive-portal HTTP://x/", "" },
		{ "captive-portal https://x/\x1b[2J", "" },
		{ "captive-portal https://x/\"><script>", "" },
		{ "captive-portal file:///etc/shadow", "" },
		{ "opt114 68747470733a2f2f782f", "https://x/" },
		{ "opt114 68747470733a2f2f782f00", "https://x/" },
		{ "opt114 68747470733a2f2f7800612f", "" },
		{ "opt114 6874747", "" },
		{ "opt114 zz", "" },
		{ "captive-portal", "" },
	};
	char text[400] = "captive-portal https://";
	struct leasetext lease;

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		leasetext_read(row[i].text, strlen(row[i].text), &lease);
		if (strcmp(lease.portal, row[i].portal) != 0)
			fail_msg("%s: '%s'", row[i].text, lease.portal);
	}
	size_t head = strlen("captive-portal ");
	memset(text + strlen(text), 'x', head + 256 - strlen(text));
	leasetext_read(text, head + 255, &lease);
	assert_int_equal(strlen(lease.portal), 255);
	leasetext_read(text, head + 256, &lease);
	assert_string_equal(lease.portal, "");
}

static void test_leasetext_address(void **state)
{
	struct leasetext lease;

	(void)state;
	leasetext_read("address 192.0.2.1\naddress 1.2.3.4.5\n", 36, &lease);
	assert_string_equal(lease.address, "192.0.2.1");
	leasetext_read("address $(x)\n", 13, &lease);
	assert_string_equal(lease.address, "");
}

static void test_agents_managers(void **state)
{
	(void)state;
	assert_true(agents_is_manager("NetworkManager.service"));
	assert_true(agents_is_manager("wpa_supplicant@wlan0.service"));
	assert_true(agents_is_manager("wpa_supplicant-wired@eth0.service"));
	assert_true(agents_is_manager("systemd-networkd.socket"));
	assert_false(agents_is_manager("dhcpcd@.service.d"));
	assert_false(agents_is_manager("networking.service"));
	assert_false(agents_is_manager("ifup@eth0.service"));
	assert_false(agents_is_manager(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agents_which_device),
		cmocka_unit_test(test_agents_stay_in_front),
		cmocka_unit_test(test_agents_of_a_title),
		cmocka_unit_test(test_leasetext_resolv),
		cmocka_unit_test(test_leasetext_bounds),
		cmocka_unit_test(test_leasetext_merge),
		cmocka_unit_test(test_leasetext_portal),
		cmocka_unit_test(test_leasetext_address),
		cmocka_unit_test(test_agents_managers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
