// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor's judges, with values: privilege and state */
#include "doctor_check.h"
#include "wgns/backend.h"

static void test_capabilities(void **state)
{
	/* VFS_CAP_REVISION_2 with the effective bit, and cap_sys_admin, which is number 21 */
	uint8_t two[20] = { 1, 0, 0, 2, 0, 0, 0x20 }, three[24] = { 1, 0, 0, 3, 0, 0, 0x20 };

	(void)state;
	assert_true(doctor_is_sys_admin_alone(two, sizeof(two)));
	assert_true(doctor_is_sys_admin_alone(three, sizeof(three)));
	assert_false(doctor_is_sys_admin_alone(two, 0));
	assert_false(doctor_is_sys_admin_alone(two, 19));
	assert_false(doctor_is_sys_admin_alone(three, 20));
	for (size_t i = 0; i < sizeof(three); i++) { /* one bit more anywhere is something else */
		uint8_t other[sizeof(three)];
		memcpy(other, three, sizeof(three));
		other[i] ^= 0x10;
		/* reserved flags of the magic word mean nothing yet, and the kernel passes over them */
		if (i == 0 || i == 1 || i == 2)
			continue;
		assert_false(doctor_is_sys_admin_alone(other, sizeof(other)));
	}
	two[0] = 0;
	assert_false(doctor_is_sys_admin_alone(two, sizeof(two)));
}

static void test_privilege(void **state)
{
	const uint8_t good[20] = { 1, 0, 0, 2, 0, 0, 0x20 };
	struct doctor_privilege p = { .is_root = true,
				      .helper = { .path = "/h",
						  .is_file = true,
						  .mode = 0755,
						  .capability_len = sizeof(good) },
				      .group = "wgns",
				      .has_group = true,
				      .members = "alice",
				      .is_user_root = true,
				      .run_free = 1u << 30 };
	AUTO_FINDINGS struct findings fine = { 0 }, tight = { 0 }, full = { 0 };

	(void)state;
	memcpy(p.helper.capability, good, sizeof(good));
	doctor_judge_privilege(&p, &fine);
	for (size_t i = 0; i < fine.n; i++) {
		assert_int_equal(fine.items[i].answer, FINDING_YES);
		for (size_t k = 0; k < fine.items[i].n_details; k++)
			assert_int_equal(fine.items[i].details[k].weight, FINDING_NOTE);
	}
	p.run_free = 500u << 10;
	p.helper.mode = 0775;
	p.mounts = (struct err){ .code = EACCES };
	doctor_judge_privilege(&p, &tight);
	check(&tight, "privilege.run", FINDING_YES, FINDING_WARNING, "only 500 KiB");
	check(&tight, "privilege.helper", FINDING_YES, FINDING_WARNING, "mode 0775");
	check(&tight, "privilege.mounts", FINDING_UNKNOWN, FINDING_OPEN, "only root");
	p.run_free = 1000;
	p.mounts = (struct err){ .code = EPERM, .text = "not the machine's own" };
	doctor_judge_privilege(&p, &full);
	check(&full, "privilege.run", FINDING_NO, FINDING_BREAKS, "only 0 KiB");
	check(&full, "privilege.mounts", FINDING_NO, FINDING_BREAKS, "not the machine's own");
}

static void test_state(void **state)
{
	struct doctor_process firewalld = { .program = DOCTOR_FIREWALLD, .pid = 5 };
	struct doctor_processes p = { .items = &firewalld, .n = 1 };
	char wg0[] = "wg0", device[] = "the device wgns01234567", *names[] = { wg0 },
	     *left[] = { device };
	struct doctor_state s = { .is_known = true,
				  .is_root = true,
				  .interrupted = names,
				  .n_interrupted = 1,
				  .left = left,
				  .n_left = 1 };
	AUTO_FINDINGS struct findings bad = { 0 }, user = { 0 };

	(void)state;
	doctor_judge_state(&s, &p, "6.1.0", "wgns.conf:1:1: what", &bad);
	check(&bad, "state.clean", FINDING_NO, FINDING_BREAKS, "wg0 is half down");
	check(&bad, "state.clean", FINDING_NO, FINDING_WARNING, "the device wgns01234567 is left");
	check(&bad, "state.files", FINDING_NO, FINDING_BREAKS, "wgns.conf:1:1: what");
	check(&bad, "state.firewall", FINDING_YES, FINDING_WARNING, "a reload of firewalld");
	s.is_root = false;
	s.has_nftables_service = true;
	strcpy(s.dir_problem, "/etc/wireguard: no");
	doctor_judge_state(&s, &nobody, "6.9.0", NULL, &user);
	check(&user, "state.clean", FINDING_UNKNOWN, FINDING_OPEN, "only root");
	check(&user, "state.files", FINDING_UNKNOWN, FINDING_OPEN, "/etc/wireguard: no");
	check(&user, "state.firewall", FINDING_YES, FINDING_NOTE, "nftables.service");
}

static void test_birth_names(void **state)
{
	(void)state;
	assert_true(backend_is_birth_name("wgns0123abcd"));
	assert_false(backend_is_birth_name("wgns0123abc"));
	assert_false(backend_is_birth_name("wgns0123abcde"));
	assert_false(backend_is_birth_name("wgns0123abcg"));
	assert_false(backend_is_birth_name("wgx00123abcd"));
	assert_false(backend_is_birth_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_privilege),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_birth_names),
	};

	return cmocka_run_group_tests_name("doctor_state", tests, NULL, NULL);
}
