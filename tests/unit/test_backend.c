// SPDX-License-Identifier: GPL-2.0-or-later
/* What both backends promise alike */
#include "backend_lab.h"

static struct wg_peer *add_peer(struct wg_device *conf, const struct key *public_key,
				const char *allowed_ip)
{
	struct wg_peer *peer = wg_device_add_peer(conf);
	struct addr a;

	assert_non_null(peer);
	peer->public_key = *public_key;
	assert_int_equal(addr_parse_prefix(allowed_ip, strlen(allowed_ip), &a), 0);
	assert_int_equal(wg_peer_add_allowed_ip(peer, &a, false), 0);
	return peer;
}

static void configure_pair(struct side *left, struct side *right)
{
	struct side *sides[] = { left, right };
	struct key preshared, public_keys[2];

	assert_int_equal(key_generate(&preshared), 0);
	for (size_t i = 0; i < 2; i++) {
		struct wg_device *conf = &sides[i]->conf;
		assert_int_equal(key_generate(&conf->private_key), 0);
		assert_int_equal(key_public(&conf->private_key, &public_keys[i]), 0);
		conf->has_private_key = true;
		conf->has_listen_port = true;
		conf->listen_port = (uint16_t)(51820 + i);
		conf->has_fwmark = true;
		conf->fwmark = 0xca6c;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *net[] = { "10.9.0.2/32", "10.9.0.1/32" };
		const char *host[] = { "192.0.2.2", "192.0.2.1" };
		const char *port[] = { "51821", "51820" };
		struct wg_peer *peer = add_peer(&sides[i]->conf, &public_keys[1 - i], net[i]);
		struct addr v6 = { .family = AF_INET6, .bits = 64, .bytes = { 0xfd, 9 } };
		assert_int_equal(wg_peer_add_allowed_ip(peer, &v6, false), 0);
		peer->has_preshared_key = true;
		peer->preshared_key = preshared;
		peer->has_keepalive = true;
		peer->keepalive = 25;
		assert_int_equal(wg_endpoint_numeric(host[i], port[i], &peer->endpoint), 0);
	}
}

static bool has_prefix(const struct wg_peer *peer, const struct addr *prefix)
{
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		if (addr_equal(&peer->allowed_ips[i].prefix, prefix))
			return true;
	}
	return false;
}

static const struct wg_peer *find_peer(const struct wg_device *dev, const struct key *public_key)
{
	for (size_t i = 0; i < dev->n_peers; i++) {
		if (key_equal(&dev->peers[i].public_key, public_key))
			return &dev->peers[i];
	}
	fail_msg("a peer is missing");
	abort(); /* not reached, which the compiler does not know */
}

/* the order of peers and prefixes is the backend's */
static void assert_configured(const struct wg_device *want, const struct wg_device *got)
{
	struct key public_key;

	assert_true(got->has_private_key && key_equal(&got->private_key, &want->private_key));
	assert_int_equal(key_public(&want->private_key, &public_key), 0);
	assert_true(got->has_public_key && key_equal(&got->public_key, &public_key));
	assert_int_equal(got->listen_port, want->listen_port);
	assert_int_equal(got->fwmark, want->fwmark);
	assert_int_equal(got->n_peers, want->n_peers);
	for (size_t i = 0; i < want->n_peers; i++) {
		const struct wg_peer *w = &want->peers[i], *g = find_peer(got, &w->public_key);
		assert_int_equal(g->has_preshared_key, w->has_preshared_key);
		assert_true(key_equal(&g->preshared_key, &w->preshared_key));
		assert_int_equal(g->keepalive, w->keepalive);
		assert_memory_equal(&g->endpoint, &w->endpoint, wg_endpoint_len(&w->endpoint));
		assert_int_equal(g->n_allowed_ips, w->n_allowed_ips);
		for (size_t j = 0; j < w->n_allowed_ips; j++)
			assert_true(has_prefix(g, &w->allowed_ips[j].prefix));
	}
}

static void join_outside(const struct side *left, const struct side *right)
{
	int pid = (int)getpid();

	assert_int_equal(run_in(left->out_fd,
				"ip link add v0 type veth peer name v0 netns /proc/%d/fd/%d && "
				"ip addr add 192.0.2.1/24 dev v0 && ip link set v0 up",
				pid, right->out_fd),
			 0);
	assert_int_equal(
		run_in(right->out_fd, "ip addr add 192.0.2.2/24 dev v0 && ip link set v0 up"), 0);
}

/* sends again until it arrives: wireguard-go looks once a second whether its moved TUN is up */
static void exchange(const struct side *left, const struct side *right)
{
	static const char text[] = "cleartext";
	char got[64];
	AUTO_FD int from_fd = udp_socket_in(left->in_fd, "10.9.0.1", 7001);
	AUTO_FD int to_fd = udp_socket_in(right->in_fd, "10.9.0.2", 7002);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7002) };
	struct pollfd p = { .fd = to_fd, .events = POLLIN };
	int n = 0;

	assert_int_equal(inet_pton(AF_INET, "10.9.0.2", &to.sin_addr), 1);
	for (int tries = 0; tries < 300 && n <= 0; tries++) {
		(void)!sendto(from_fd, text, sizeof(text), 0, (struct sockaddr *)&to, sizeof(to));
		n = poll(&p, 1, 100);
	}
	assert_int_equal(n, 1);
	assert_int_equal(recv(to_fd, got, sizeof(got), 0), sizeof(text));
	assert_string_equal(got, text);
}

static void test_tunnel(void **state)
{
	const struct backend *b = need(state);
	struct side left, right;
	struct wg_device got;

	begin_side(&left, "wgtleft");
	begin_side(&right, "wgtright");
	struct side *sides[] = { &left, &right };
	join_outside(&left, &right);
	configure_pair(&left, &right);
	for (size_t i = 0; i < 2; i++) {
		struct side *s = sides[i];
		assert_ok(b->create(&s->dev, s->out_fd, &e));
		assert_true(has_link(s->out_fd, s->dev.birth_name));
		move_inside(s);
		assert_ok(b->set(&s->dev, s->in_fd, &s->conf, true, &e));
		assert_ok(b->get(&s->dev, s->in_fd, &got, &e));
		assert_string_equal(got.name, "wg0");
		assert_configured(&s->conf, &got);
		wg_device_free(&got);
		assert_int_equal(run_in(s->in_fd,
					"ip addr add 10.9.0.%zu/24 dev wg0 && ip link set wg0 up",
					i + 1),
				 0);
	}
	exchange(&left, &right);
	assert_ok(b->get(&right.dev, right.in_fd, &got, &e));
	assert_true(got.peers[0].last_handshake > 1500000000);
	assert_true(got.peers[0].rx_bytes > 0);
	wg_device_free(&got);

	/* the same again leaves what is there: sessions live through it */
	assert_ok(b->set(&left.dev, left.in_fd, &left.conf, false, &e));
	assert_ok(b->get(&left.dev, left.in_fd, &got, &e));
	assert_configured(&left.conf, &got);
	assert_true(got.peers[0].last_handshake > 0);
	wg_device_free(&got);
	for (size_t i = 0; i < 2; i++) {
		end_side(b, &(struct side){ .dev = sides[i]->dev,
					    .out_fd = dup(sides[i]->out_fd),
					    .in_fd = dup(sides[i]->in_fd) });
		assert_gone(sides[i]);
		end_side(b, sides[i]); /* again: nothing there is success */
	}
}

/* nothing is sent through the tunnel, and no keepalive is configured */
static void test_kick(void **state)
{
	const struct backend *b = need(state);
	struct side left, right;
	struct wg_device got;

	begin_side(&left, "wgtkick");
	begin_side(&right, "wgtkicked");
	struct side *sides[] = { &left, &right };
	join_outside(&left, &right);
	configure_pair(&left, &right);
	for (size_t i = 0; i < 2; i++) {
		struct side *s = sides[i];
		s->conf.peers[0].keepalive = 0;
		assert_ok(b->create(&s->dev, s->out_fd, &e));
		move_inside(s);
		assert_ok(b->set(&s->dev, s->in_fd, &s->conf, true, &e));
		/* without an address, hence nothing of the kernel's own, IPv6 solicitations for example, makes a packet */
		assert_int_equal(run_in(s->in_fd, "ip link set wg0 addrgenmode none up"), 0);
	}
	int64_t handshake = 0;
	for (int tries = 0; tries < 300 && !handshake; tries++) {
		assert_ok(backend_kick(b, &left.dev, left.in_fd, &e));
		(void)poll(NULL, 0, 50);
		assert_ok(b->get(&left.dev, left.in_fd, &got, &e));
		assert_configured(&left.conf, &got);
		handshake = got.peers[0].last_handshake;
		wg_device_free(&got);
	}
	assert_true(handshake > 1500000000);
	for (size_t i = 0; i < 2; i++)
		end_side(b, sides[i]);
}

static void test_destroy_before_move(void **state)
{
	const struct backend *b = need(state);
	struct side s;

	begin_side(&s, "wgtborn");
	assert_ok(b->destroy(&s.dev, s.out_fd, s.in_fd, &e)); /* never created */
	assert_ok(b->create(&s.dev, s.out_fd, &e));
	assert_ok(b->destroy(&s.dev, s.out_fd, s.in_fd, &e));
	assert_gone(&s);
	end_side(b, &s);
}

static void test_destroy_leaves_others_alone(void **state)
{
	const struct backend *b = need(state);
	struct side s;

	begin_side(&s, "wgtother");
	(void)snprintf(s.dev.name, sizeof(s.dev.name), "wg0");
	assert_int_equal(run_in(s.in_fd, "ip link add wg0 type bridge"), 0);
	assert_ok(b->destroy(&s.dev, s.out_fd, s.in_fd, &e));
	assert_true(has_link(s.in_fd, "wg0"));
	end_side(b, &s);
}

static void test_create_refuses_taken_name(void **state)
{
	const struct backend *b = need(state);
	struct side s;

	begin_side(&s, "wgttaken");
	assert_int_equal(run_in(s.out_fd, "ip link add wgttaken type bridge"), 0);
	assert_true(b->create(&s.dev, s.out_fd, &e) < 0);
	assert_int_equal(s.dev.pid, 0);
	assert_false(has_socket("wgttaken"));
	assert_true(has_link(s.out_fd, "wgttaken"));
	/* the daemon's own words, or the kernel's */
	assert_true(strstr(e.text, "resource busy") || strstr(e.text, "File exists") ||
		    strstr(e.text, "invalid argument"));
	end_side(b, &s);
}

static void test_10000_peers(void **state)
{
	const struct backend *b = need(state);
	struct side s;
	struct wg_device got;

	begin_side(&s, "wgtmany");
	assert_int_equal(key_generate(&s.conf.private_key), 0);
	s.conf.has_private_key = true;
	for (uint32_t i = 0; i < 10000; i++) {
		struct key public_key = { .bytes = { 9 } };
		char text[ADDR_TEXT_MAX];
		memcpy(public_key.bytes + 1, &i, sizeof(i));
		(void)snprintf(text, sizeof(text), "10.%u.%u.%u/32", i >> 16, (i >> 8) & 255,
			       i & 255);
		add_peer(&s.conf, &public_key, text);
	}
	assert_ok(b->create(&s.dev, s.out_fd, &e));
	move_inside(&s);
	assert_ok(b->set(&s.dev, s.in_fd, &s.conf, true, &e));
	assert_ok(b->get(&s.dev, s.in_fd, &got, &e));
	assert_int_equal(got.n_peers, 10000);
	for (size_t i = 0; i < got.n_peers; i++)
		assert_int_equal(got.peers[i].n_allowed_ips, 1);
	wg_device_free(&got);
	end_side(b, &s);
}

/* ---- choosing ---- */

static void test_choose(void **state)
{
	const struct backend_device none = { .daemon = "/absent" };
	const struct backend_device folder = { .daemon = "/usr" };
	const struct backend *b = NULL;
	char why[256];

	(void)state;
	assert_ptr_equal(backend_by_name("kernel"), &backend_kernel);
	assert_ptr_equal(backend_by_name("userspace"), &backend_userspace);
	assert_null(backend_by_name("auto"));
	assert_int_equal(backend_choose("magic", &none, &b, why, &e), -EINVAL);
	assert_int_equal(e.kind, ERR_KIND_USAGE);
	assert_int_equal(backend_choose("userspace", &none, &b, why, &e), -ENOENT);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_non_null(strstr(e.hint, "wireguard-go"));
	assert_int_equal(backend_choose("userspace", &folder, &b, why, &e), -EACCES);
	assert_null(b);

	/* auto: the kernel where it can, and one reason for each where nothing can */
	bool has_kernel = backend_kernel.usable(&none, &e) == 0;
	int rc = backend_choose("auto", &none, &b, why, &e);
	assert_int_equal(rc == 0, has_kernel);
	if (has_kernel) {
		assert_ptr_equal(b, &backend_kernel);
		return;
	}
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
	assert_non_null(strstr(e.text, "/absent"));
	assert_int_equal(backend_choose("kernel", &none, &b, why, &e), -EOPNOTSUPP);
	assert_int_equal(e.kind, ERR_KIND_MACHINE);
}

int main(void)
{
	static const struct backend *over[] = { &backend_kernel, &backend_userspace };
	const struct CMUnitTest tests[] = {
		{ "kernel: test_tunnel", test_tunnel, NULL, NULL, &over[0] },
		{ "userspace: test_tunnel", test_tunnel, NULL, NULL, &over[1] },
		{ "kernel: test_destroy_before_move", test_destroy_before_move, NULL, NULL,
		  &over[0] },
		{ "userspace: test_destroy_before_move", test_destroy_before_move, NULL, NULL,
		  &over[1] },
		{ "kernel: test_destroy_leaves_others_alone", test_destroy_leaves_others_alone,
		  NULL, NULL, &over[0] },
		{ "userspace: test_destroy_leaves_others_alone", test_destroy_leaves_others_alone,
		  NULL, NULL, &over[1] },
		{ "kernel: test_create_refuses_taken_name", test_create_refuses_taken_name, NULL,
		  NULL, &over[0] },
		{ "userspace: test_create_refuses_taken_name", test_create_refuses_taken_name, NULL,
		  NULL, &over[1] },
		{ "kernel: test_10000_peers", test_10000_peers, NULL, NULL, &over[0] },
		{ "userspace: test_10000_peers", test_10000_peers, NULL, NULL, &over[1] },
		{ "kernel: test_kick", test_kick, NULL, NULL, &over[0] },
		{ "userspace: test_kick", test_kick, NULL, NULL, &over[1] },
		cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests(tests, make_private, NULL);
}
