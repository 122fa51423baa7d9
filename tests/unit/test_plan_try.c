// SPDX-License-Identifier: GPL-2.0-or-later
/* trying it safely: where the waits stand, and whose SSH connection would be cut */
#include "plan_fixture.h"

static void add_endpoint(struct fixture *f)
{
	struct wg_peer *peer = wg_device_add_peer(&f->conf.device);

	assert_non_null(peer);
	peer->endpoint_host = strdup("vpn.example");
	peer->endpoint_port = strdup("51820");
}

static void end(struct fixture *f, struct plan *p)
{
	plan_free(p);
	wg_device_free(&f->conf.device);
	free(f);
}

static void assert_tail(const struct plan *p, const char *const *texts, size_t n)
{
	assert_true(p->n >= n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(p->steps[p->n - n + i].text, texts[i]);
}

static void test_plan_up_waits_before_post_up_and_asks_last(void **state)
{
	static const char *const texts[] = { "link.up wg0 mtu auto", "handshake.wait wg0 10 s",
					     "hook.run PostUp 1: true", "confirm.wait wg0 60 s" };
	static char *hooks[] = { (char *)(uintptr_t) "true" };
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	add_endpoint(f);
	f->conf.device.has_private_key = true;
	f->conf.hooks[WGQUICK_POST_UP] = hooks;
	f->conf.n_hooks[WGQUICK_POST_UP] = 1;
	f->rq.wait_s = 10;
	f->rq.confirm_s = 60;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_tail(&p, texts, 4);
	end(f, &p);
}

static void test_plan_up_waits_after_a_post_up_that_sets_the_key(void **state)
{
	static const char *const texts[] = { "hook.run PostUp 1: true", "handshake.wait wg0 10 s" };
	static char *hooks[] = { (char *)(uintptr_t) "true" };
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	add_endpoint(f);
	f->conf.hooks[WGQUICK_POST_UP] = hooks;
	f->conf.n_hooks[WGQUICK_POST_UP] = 1;
	f->rq.wait_s = 10;
	assert_int_equal(plan(f, &p, &e), 0);
	assert_tail(&p, texts, 2);
	end(f, &p);
}

static void test_plan_up_has_nobody_to_wait_for(void **state)
{
	struct fixture *f = laptop();
	struct plan p;
	struct err e;

	(void)state;
	assert_non_null(wg_device_add_peer(&f->conf.device));
	f->rq.wait_s = 10;
	assert_true(plan(f, &p, &e) < 0);
	assert_int_equal(e.kind, ERR_KIND_USAGE);
	assert_non_null(strstr(e.text, "no peer of wg0 has an Endpoint"));
	end(f, &p);
}

/* an SSH connection over @device of a machine with eth0, a VLAN, a tunnel on that, and a device that stays */
static int plan_with_session(struct fixture *f, const char *device, struct plan *p, struct err *e)
{
	static struct plan_session session;

	session = (struct plan_session){ .client = "203.0.113.80" };
	strcpy(session.device, device);
	struct rtnl_link *vlan = add_link(f, "eth0.7", "vlan");
	vlan->lower = 2;
	add_link(f, "gre1", "gre")->lower = vlan->ifindex;
	add_link(f, "lan0", "veth")->lower = 2;
	f->links[f->host.links.n - 1].has_lower_netnsid = true;
	f->rq.sessions = &session;
	f->rq.n_sessions = 1;
	return plan(f, p, e);
}

static void test_plan_up_refuses_to_cut_a_session(void **state)
{
	static const struct {
		const char *device, *named;
	} rows[] = {
		{ "eth0", "your SSH connection from 203.0.113.80 runs over eth0, and ends when "
			  "eth0 moves to physical" },
		{ "eth0.7", "runs over eth0.7, and ends when eth0.7 moves" },
		{ "gre1", "runs over gre1, and ends when eth0.7 moves" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = laptop();
		struct plan p;
		struct err e;
		assert_true(plan_with_session(f, rows[i].device, &p, &e) < 0);
		assert_int_equal(e.kind, ERR_KIND_STATE);
		assert_non_null(strstr(e.text, rows[i].named));
		assert_non_null(strstr(e.hint, "--confirm 60 wg0"));
		end(f, &p);
	}
}

static void test_plan_up_leaves_other_sessions_alone(void **state)
{
	static const char *const devices[] = { "lo", "lan0", "gone" };

	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		struct fixture *f = laptop();
		struct plan p;
		struct err e;
		assert_int_equal(plan_with_session(f, devices[i], &p, &e), 0);
		end(f, &p);
	}
	/* nothing moves for a second tunnel */
	struct fixture *f = laptop();
	struct plan p;
	struct err e;
	f->host.is_layout_up = true;
	assert_int_equal(plan_with_session(f, "eth0", &p, &e), 0);
	end(f, &p);
}

static void test_plan_up_cuts_a_session_when_told_to(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct fixture *f = laptop();
		struct plan p;
		struct err e;
		add_endpoint(f);
		f->rq.wait_s = i == 0 ? 10 : 0;
		f->rq.confirm_s = i == 1 ? 60 : 0;
		f->rq.should_force = i == 2;
		assert_int_equal(plan_with_session(f, "eth0", &p, &e), 0);
		bool is_said = false;
		for (size_t k = 0; k < p.n_warnings; k++)
			is_said = is_said || strstr(p.warnings[k], "your SSH connection");
		assert_true(is_said);
		end(f, &p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_up_waits_before_post_up_and_asks_last),
		cmocka_unit_test(test_plan_up_waits_after_a_post_up_that_sets_the_key),
		cmocka_unit_test(test_plan_up_has_nobody_to_wait_for),
		cmocka_unit_test(test_plan_up_refuses_to_cut_a_session),
		cmocka_unit_test(test_plan_up_leaves_other_sessions_alone),
		cmocka_unit_test(test_plan_up_cuts_a_session_when_told_to),
	};

	return cmocka_run_group_tests_name("plan_try", tests, NULL, NULL);
}
