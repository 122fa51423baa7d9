// SPDX-License-Identifier: GPL-2.0-or-later
/* what the watch decides from values alone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <net/if_arp.h>
#include <string.h>
#include <sys/un.h>

#include "wgns/rtnl.h"
#include "wgns/watch.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void test_sleep_is_what_boottime_has_more(void **state)
{
	static const struct {
		struct watch_clocks before, now;
		bool has_slept;
	} cases[] = {
		{ { 1000, 1000 }, { 11000, 11000 }, false },
		{ { 1000, 1000 }, { 11003, 11000 }, false }, /* read one after the other */
		{ { 1000, 1000 }, { 3611000, 11000 }, true },
		{ { 3611000, 11000 }, { 3621000, 21000 }, false }, /* it slept before */
		{ { 5000, 1000 }, { 6000, 1001 }, false },
		{ { 5000, 1000 }, { 6001, 1001 }, true },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		assert_int_equal(watch_has_slept(&cases[i].before, &cases[i].now),
				 cases[i].has_slept);
}

static void test_a_handshake_is_old_after_its_age(void **state)
{
	(void)state;
	assert_false(watch_is_old(1000, 1135, WATCH_HANDSHAKE_OLD_S));
	assert_true(watch_is_old(1000, 1136, WATCH_HANDSHAKE_OLD_S));
	assert_true(watch_is_old(0, 1136, WATCH_HANDSHAKE_OLD_S));
	assert_true(watch_is_old(1000, 1002, 1));
	/* the clock was set back */
	assert_false(watch_is_old(2000, 1000, WATCH_HANDSHAKE_OLD_S));
}

static void test_pauses_double_up_to_the_largest(void **state)
{
	(void)state;
	assert_int_equal(watch_pause_ms(0, 1000, 60000), 1000);
	assert_int_equal(watch_pause_ms(1, 1000, 60000), 2000);
	assert_int_equal(watch_pause_ms(5, 1000, 60000), 32000);
	assert_int_equal(watch_pause_ms(6, 1000, 60000), 60000);
	assert_int_equal(watch_pause_ms(UINT32_MAX, 1000, 4000000000u), 4000000000u);
	assert_int_equal(watch_pause_ms(0, 9, 3), 3);
}

struct fixture {
	struct watch_peers peers;
	struct wg_device dev;
};

static bool sample(struct fixture *f, size_t peer, uint64_t rx, uint64_t tx)
{
	bool is_stale;

	f->dev.peers[peer].rx_bytes += rx;
	f->dev.peers[peer].tx_bytes += tx;
	assert_int_equal(watch_peers_sample(&f->peers, &f->dev, &is_stale), 0);
	return is_stale;
}

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ 0 };
	for (unsigned char i = 1; i <= 2; i++)
		wg_device_add_peer(&f.dev)->public_key.bytes[0] = i;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	watch_peers_free(&f->peers);
	wg_device_free(&f->dev);
	return 0;
}

static void test_two_silent_samples_under_traffic_are_stale(void **state)
{
	assert_false(sample(*state, 0, 100, 100));
	assert_false(sample(*state, 0, 100, 100));
	assert_false(sample(*state, 0, 0, 100));
	assert_true(sample(*state, 0, 0, 100));
	assert_true(sample(*state, 0, 0, 100));
	assert_false(sample(*state, 0, 1, 100));
}

static void test_an_idle_peer_is_not_stale(void **state)
{
	for (int i = 0; i < 10; i++)
		assert_false(sample(*state, 0, 0, 0));
}

static void test_silence_without_traffic_stays_stale(void **state)
{
	assert_false(sample(*state, 0, 1, 1));
	assert_false(sample(*state, 0, 0, 1));
	assert_true(sample(*state, 0, 0, 1));
	assert_true(sample(*state, 0, 0, 0));
}

static void test_one_peer_that_answers_is_enough(void **state)
{
	struct fixture *f = *state;

	assert_false(sample(f, 0, 1, 1));
	for (int i = 0; i < 4; i++) {
		f->dev.peers[1].rx_bytes++;
		assert_false(sample(f, 0, 0, 1));
	}
}

static void test_a_device_that_is_made_again_begins_anew(void **state)
{
	struct fixture *f = *state;

	assert_false(sample(f, 0, 500, 500));
	assert_false(sample(f, 0, 0, 1));
	assert_true(sample(f, 0, 0, 1));
	f->dev.peers[0].rx_bytes = 0;
	f->dev.peers[0].tx_bytes = 0;
	assert_false(sample(f, 0, 0, 0));
	assert_false(sample(f, 0, 0, 1));
}

static void test_a_peer_that_is_gone_is_forgotten(void **state)
{
	struct fixture *f = *state;

	assert_false(sample(f, 1, 0, 1));
	assert_false(sample(f, 1, 0, 1));
	assert_true(sample(f, 1, 0, 1));
	assert_int_equal(f->peers.n, 2);
	f->dev.n_peers = 1;
	assert_false(sample(f, 0, 0, 0));
	assert_int_equal(f->peers.n, 1);
	f->dev.n_peers = 2;
}

static void test_the_last_endpoint_is_kept(void **state)
{
	struct fixture *f = *state;

	f->dev.peers[0].endpoint.v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = 7 };
	(void)sample(f, 0, 0, 0);
	f->dev.peers[0].endpoint = (union wg_endpoint){ .sa.sa_family = AF_UNSPEC };
	(void)sample(f, 0, 0, 0);
	assert_int_equal(f->peers.items[0].endpoint.v4.sin_port, 7);
}

static void test_what_may_be_an_uplink(void **state)
{
	static char usb[] = "usb0";
	char *names[] = { usb };
	static const struct {
		struct rtnl_link link;
		bool is_named, is_found;
	} cases[] = {
		{ { .name = "lo", .flags = IFF_LOOPBACK, .has_parent_device = true },
		  false,
		  false },
		{ { .name = "usb0", .kind = "veth" }, true, false },
		{ { .name = "usb0", .kind = "wireguard" }, false, false },
		{ { .name = "veth0", .kind = "veth" }, false, false },
		{ { .name = "tun0", .kind = "tun" }, false, false },
		{ { .name = "eth0", .type = ARPHRD_ETHER, .has_parent_device = true }, true, true },
		/* before Linux 5.14 nothing says that there is hardware behind it */
		{ { .name = "eth0", .type = ARPHRD_ETHER }, false, true },
		/* a card of the layout, by another name */
		{ { .name = "eth7", .type = ARPHRD_ETHER, .permaddr_len = 6 }, true, true },
	};

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		assert_int_equal(watch_may_adopt(&cases[i].link, names, 1), cases[i].is_named);
		assert_int_equal(watch_may_adopt(&cases[i].link, NULL, 0), cases[i].is_found);
	}
}

static void test_notify_sockets_by_path_and_by_name(void **state)
{
	char too_long[sizeof(((struct sockaddr_un *)0)->sun_path) + 2];
	struct sockaddr_un to;
	socklen_t len;

	(void)state;
	assert_int_equal(watch_notify_address("/run/x", &to, &len), 0);
	assert_string_equal(to.sun_path, "/run/x");
	assert_int_equal(len, offsetof(struct sockaddr_un, sun_path) + 7);
	assert_int_equal(watch_notify_address("@x", &to, &len), 0);
	assert_memory_equal(to.sun_path, "\0x", 2);
	assert_int_equal(len, offsetof(struct sockaddr_un, sun_path) + 2);
	memset(too_long, '/', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	assert_true(watch_notify_address(too_long, &to, &len) < 0);
	assert_true(watch_notify_address("", &to, &len) < 0);
	assert_true(watch_notify_address("@", &to, &len) < 0);
	assert_true(watch_notify_address("vsock:2:1", &to, &len) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleep_is_what_boottime_has_more),
		cmocka_unit_test(test_a_handshake_is_old_after_its_age),
		cmocka_unit_test(test_pauses_double_up_to_the_largest),
		cmocka_unit_test_setup_teardown(test_two_silent_samples_under_traffic_are_stale,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_idle_peer_is_not_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_without_traffic_stays_stale, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_one_peer_that_answers_is_enough, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_device_that_is_made_again_begins_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_peer_that_is_gone_is_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_the_last_endpoint_is_kept, setup, teardown),
		cmocka_unit_test(test_what_may_be_an_uplink),
		cmocka_unit_test(test_notify_sockets_by_path_and_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
