// SPDX-License-Identifier: GPL-2.0-or-later
/* the texts of proc(5) and of files that `verify` reads */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wgns/verify.h"

#define BOX "/run/wgns/box/physical"

static void test_verify_parse_packet(void **state)
{
	struct verify_socket s;

	(void)state;
	assert_int_equal(verify_parse_packet("ffff8881 3      3    0003   2     1 0      0      "
					     "13931",
					     &s),
			 0);
	assert_int_equal(s.ifindex, 2);
	assert_int_equal(s.inode, 13931);
	assert_true(verify_parse_packet("sk       RefCnt Type Proto  Iface R Rmem   User   Inode",
					&s) < 0);
	assert_true(verify_parse_packet("", &s) < 0);
}

static void test_verify_parse_status(void **state)
{
	(void)state;
	struct verify_caps c = verify_parse_status(
		"Name:\tx\\nCapPrm:\nCapInh:\t0000000000000001\nCapPrm:\t0000000000000002\n"
		"CapEff:\t0000000000000004\nCapBnd:\t000001ffffffffff\nCapAmb:\t8000000000000000\n"
		"NoNewPrivs:\t1\n");
	assert_true(c.is_known && c.has_no_new_privs);
	assert_int_equal(c.inheritable, 1);
	assert_int_equal(c.permitted, 2);
	assert_int_equal(c.effective, 4);
	assert_true(c.ambient == UINT64_C(1) << 63);
	assert_false(verify_parse_status("Name:\tx\nCapPrm:\t0\n").is_known);
}

static struct verify_mounts mounts_of(const char *text)
{
	char copy[2048];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	return verify_parse_mounts(copy, BOX);
}

#define ETC(options) "41 31 0:40 / /etc ro,nosuid - overlay wgns " options "\n"
#define MASK(place) "42 31 0:41 / " place " ro,nosuid - tmpfs wgns ro,size=4k\n"
#define PIN(place, root) "32 31 0:26 " root " " place " rw shared:3 - tmpfs tmpfs rw\n"

static void test_verify_parse_mounts(void **state)
{
	struct verify_mounts m =
		mounts_of(ETC("ro,lowerdir=" BOX "/etc:/etc") PIN("/run/nscd", "/nscd")
				  MASK("/run/nscd") PIN("/run/systemd/resolve", "/systemd/resolve")
					  MASK("/run/systemd/resolve"));

	(void)state;
	assert_true(m.has_etc && m.has_nscd && m.has_resolve);
	m = mounts_of(ETC("ro,lowerdir+=" BOX "/etc,lowerdir+=/etc"));
	assert_true(m.has_etc);
	assert_false(m.has_nscd || m.has_resolve);
	/* somebody else's overlay, another box's, and one below which our folder is not the first */
	assert_false(mounts_of(ETC("ro,lowerdir=/home/x/etc:/etc")).has_etc);
	assert_false(mounts_of(ETC("ro,lowerdir=" BOX "2/etc:/etc")).has_etc);
	assert_false(mounts_of(ETC("ro,lowerdir=" BOX "/etc2:/etc")).has_etc);
	/* what lies on top decides */
	assert_false(mounts_of(ETC("ro,lowerdir=" BOX
				   "/etc:/etc") "43 31 8:1 /etc /etc rw - ext4 /dev/sda1 rw\n")
			     .has_etc);
	m = mounts_of(MASK("/run/nscd") PIN("/run/nscd", "/nscd"));
	assert_false(m.has_nscd);
	/* systemd's InaccessiblePaths= */
	m = mounts_of(PIN("/run/nscd", "/systemd/inaccessible/dir"));
	assert_true(m.has_nscd);
	/* a writable file system that the host has put there is no mask */
	m = mounts_of("42 31 0:41 / /run/nscd rw,nosuid - tmpfs theirs rw\n");
	assert_false(m.has_nscd);
	m = mounts_of("nonsense\n - \n1 2 - 3\n");
	assert_false(m.has_etc);
}

static void test_verify_parse_resolv(void **state)
{
	char text[] = "# nameserver 1.1.1.1\n  nameserver 10.0.0.1\nnameserver fe80::1%eth0\n"
		      "nameserver nonsense\nsearch x\nnameserver\t2001:db8::1 # behind it";
	struct verify_resolv r = { 0 };
	char shown[ADDR_TEXT_MAX];

	(void)state;
	verify_parse_resolv(text, &r);
	assert_int_equal(r.n_servers, 3);
	addr_format(&r.servers[1], shown);
	assert_string_equal(shown, "fe80::1");
	addr_format(&r.servers[2], shown);
	assert_string_equal(shown, "2001:db8::1");
}

static void test_verify_parse_file_caps(void **state)
{
	/* what `setcap cap_sys_admin+ep` writes */
	const uint8_t bytes[20] = { 1, 0, 0, 2, 0, 0, 0x20, 0 };

	(void)state;
	struct verify_file_caps c = verify_parse_file_caps(bytes, sizeof(bytes));
	assert_true(c.is_there && c.is_effective && !c.is_damaged);
	assert_int_equal(c.permitted, 1 << 21);
	assert_int_equal(c.inheritable, 0);
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_true(verify_parse_file_caps(bytes, len).is_damaged);
}

static void test_verify_has_key(void **state)
{
	static const char key[] = "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789+/aBcDe=";
	char text[128];

	(void)state;
	assert_int_equal(strlen(key), 44);
	assert_true(verify_has_key(key, 44));
	(void)snprintf(text, sizeof(text), "KEY=%s;", key);
	assert_true(verify_has_key(text, strlen(text)));
	(void)snprintf(text, sizeof(text), "a%s", key);
	assert_false(verify_has_key(text, strlen(text)));
	(void)snprintf(text, sizeof(text), "%s=", key);
	assert_false(verify_has_key(text, strlen(text)));
	assert_false(verify_has_key(key, 43));
	assert_false(verify_has_key("wireguard-go\0-f\0wgns1234", 24));
}

static void test_verify_has_udp_port(void **state)
{
	const char *table = "   sl  local_address rem_address   st tx_queue\n"
			    "  103: 00000000:CA6C 00000000:0000 07 00000000:00000000\n"
			    "  104: 00000000000000000000000000000000:0035 "
			    "00000000000000000000000000000000:9C40 "
			    "07\n";
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text), "%s", table);
	assert_true(verify_has_udp_port(text, 51820));
	(void)snprintf(text, sizeof(text), "%s", table);
	assert_true(verify_has_udp_port(text, 53));
	(void)snprintf(text, sizeof(text), "%s", table);
	assert_false(verify_has_udp_port(text, 40000));
}

static void test_verify_cap_names(void **state)
{
	char text[256], small[20];

	(void)state;
	verify_cap_names(0, text, sizeof(text));
	assert_string_equal(text, "");
	verify_cap_names(1 << 12 | 1 << 13, text, sizeof(text));
	assert_string_equal(text, "cap_net_admin, cap_net_raw");
	verify_cap_names(UINT64_C(1) << 63, text, sizeof(text));
	assert_string_equal(text, "cap_63");
	verify_cap_names(0x1ffffffffffu, text, sizeof(text));
	assert_string_equal(text, "41 capabilities, cap_sys_admin among them");
	verify_cap_names(0x3f, small, sizeof(small));
	assert_true(strlen(small) < sizeof(small));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify_parse_packet),
		cmocka_unit_test(test_verify_parse_status),
		cmocka_unit_test(test_verify_parse_mounts),
		cmocka_unit_test(test_verify_parse_resolv),
		cmocka_unit_test(test_verify_parse_file_caps),
		cmocka_unit_test(test_verify_has_key),
		cmocka_unit_test(test_verify_has_udp_port),
		cmocka_unit_test(test_verify_cap_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
