// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor's judges, with values: kernel, tunnel, uplinks, names */
#include "doctor_check.h"

static void test_releases(void **state)
{
	(void)state;
	assert_true(doctor_is_release("6.1.0-18-amd64", 6, 1));
	assert_true(doctor_is_release("6.10.0", 6, 9));
	assert_true(doctor_is_release("7.0-rc1", 6, 9));
	assert_false(doctor_is_release("6.1.0", 6, 9));
	assert_false(doctor_is_release("5.4.0", 5, 10));
	assert_false(doctor_is_release("", 5, 10));
	assert_false(doctor_is_release("linux", 0, 0));
}

static void test_modules(void **state)
{
	const char *text = "kernel/drivers/net/wireguard/wireguard.ko.xz: kernel/net/x.ko.xz\n"
			   "kernel/net/netfilter/nf_tables.ko:\n"
			   "kernel/fs/overlayfs/overlay.ko.zst: kernel/lib/veth.ko.zst\n"
			   "kernel/last.ko";

	(void)state;
	assert_true(doctor_has_module(text, "wireguard"));
	assert_true(doctor_has_module(text, "nf_tables"));
	assert_true(doctor_has_module(text, "overlay"));
	assert_true(doctor_has_module(text, "last"));
	assert_false(doctor_has_module(text, "wire"));
	assert_false(doctor_has_module(text, "tables"));
	/* a module that another one needs has a line of its own, or is none */
	assert_false(doctor_has_module(text, "x"));
	assert_false(doctor_has_module(text, "veth"));
	assert_false(doctor_has_module("", "overlay"));
	assert_false(doctor_has_module("\n\n:", "overlay"));
}

static void test_kernels(void **state)
{
	struct doctor_kernel k = { .release = "6.12.1",
				   .overlay = DOCTOR_LOADABLE,
				   .nf_tables = DOCTOR_THERE,
				   .has_guard = true };
	AUTO_FINDINGS struct findings good = { 0 }, old = { 0 }, bare = { 0 }, wished = { 0 };

	(void)state;
	doctor_judge_kernel(&k, &good);
	assert_int_equal(findings_answer(&good), FINDING_YES);
	strcpy(k.release, "5.4.0");
	k.nf_tables = DOCTOR_UNSURE;
	doctor_judge_kernel(&k, &old);
	check(&old, "kernel.release", FINDING_NO, FINDING_BREAKS, "wgns needs 5.10");
	check(&old, "kernel.nftables", FINDING_UNKNOWN, FINDING_OPEN, "only root");
	check(&old, "kernel.nftables", FINDING_UNKNOWN, FINDING_NOTE, "before Linux 6.9");
	strcpy(k.release, "5.10.0");
	k.overlay = k.nf_tables = DOCTOR_ABSENT;
	doctor_judge_kernel(&k, &bare);
	check(&bare, "kernel.release", FINDING_YES, FINDING_NOTE, "before Linux 5.13");
	check(&bare, "kernel.overlay", FINDING_YES, FINDING_WARNING, "exec");
	check(&bare, "kernel.nftables", FINDING_NO, FINDING_BREAKS, "no guard");
	k.has_guard = false;
	doctor_judge_kernel(&k, &wished);
	check(&wished, "kernel.nftables", FINDING_YES, FINDING_WARNING, "no guard");
}

static void test_backends(void **state)
{
	struct doctor_tunnel t = { .refusal = { .code = EACCES, .text = "no", .hint = "try" } };
	AUTO_FINDINGS struct findings user = { 0 }, root = { 0 }, good = { 0 };

	(void)state;
	doctor_judge_tunnel(&t, &user);
	check(&user, "tunnel.backend", FINDING_UNKNOWN, FINDING_OPEN, "no");
	t.is_root = true;
	doctor_judge_tunnel(&t, &root);
	check(&root, "tunnel.backend", FINDING_NO, FINDING_BREAKS, "no");
	assert_string_equal(root.items[0].details[0].hint, "try");
	t.can = true;
	strcpy(t.why, "kernel WireGuard");
	doctor_judge_tunnel(&t, &good);
	check(&good, "tunnel.backend", FINDING_YES, FINDING_NOTE, "kernel WireGuard");
}

#define ARGS(text) text, sizeof(text)

static void test_programs(void **state)
{
	(void)state;
	assert_int_equal(doctor_program_of("NetworkManager", ARGS("")), DOCTOR_NETWORKMANAGER);
	/* comm(5) has 15 characters */
	assert_int_equal(doctor_program_of("systemd-network", ARGS("")), DOCTOR_NETWORKD);
	assert_int_equal(doctor_program_of("systemd-resolve", ARGS("")), DOCTOR_RESOLVED);
	assert_int_equal(doctor_program_of("busybox", ARGS("busybox\0udhcpc\0-i\0eth0")),
			 DOCTOR_UDHCPC);
	assert_int_equal(doctor_program_of("busybox", ARGS("busybox\0httpd")), DOCTOR_NO_PROGRAM);
	assert_int_equal(doctor_program_of("busybox", ARGS("busybox")), DOCTOR_NO_PROGRAM);
	assert_int_equal(doctor_program_of("busybox", "", 0), DOCTOR_NO_PROGRAM);
	assert_int_equal(doctor_program_of("", "", 0), DOCTOR_NO_PROGRAM);
	assert_int_equal(doctor_program_of("systemd", ARGS("")), DOCTOR_NO_PROGRAM);
	assert_int_equal(doctor_program_of("iwd-helper", ARGS("")), DOCTOR_NO_PROGRAM);
	assert_string_equal(doctor_program_name(DOCTOR_NETWORKD), "systemd-networkd");
}

static void test_devices_in_arguments(void **state)
{
	(void)state;
	assert_true(doctor_names_device(ARGS("dhclient\0-4\0eth0"), "eth0"));
	assert_true(doctor_names_device(ARGS("wpa_supplicant\0-iwlan0"), "wlan0"));
	assert_false(doctor_names_device(ARGS("dhclient\0eth01"), "eth0"));
	assert_false(doctor_names_device(ARGS("dhclient\0-pf/run/eth0"), "eth0"));
	/* the program's own name is none of its arguments, and a cut end names nothing */
	assert_false(doctor_names_device(ARGS("eth0"), "eth0"));
	assert_false(doctor_names_device("dhclient\0eth0", 13, "eth0"));
	assert_false(doctor_names_device("", 0, "eth0"));
}

static struct doctor_uplinks uplinks_of(struct doctor_uplink *items, size_t n)
{
	return (struct doctor_uplinks){ .is_root = true, .items = items, .n = n };
}

static void test_uplinks_that_stay(void **state)
{
	struct doctor_uplink items[] = {
		{ .name = "eth0" },
		{ .name = "wlan0",
		  .is_wireless = true,
		  .refusal = { .code = EOPNOTSUPP, .text = "wlan0 stays", .hint = "--uplink" },
		  .phy = { .is_there = true, .name = "phy0", .can_move = true } },
		{ .name = "br0",
		  .refusal = { .code = EINVAL, .text = "br0 stays", .kernel = "immutable" } },
	};
	struct doctor_uplinks u = uplinks_of(items, 3);
	AUTO_FINDINGS struct findings out = { 0 };

	(void)state;
	/* plan_uplinks() says the first of them, too: it stands there once */
	u.refusal = items[1].refusal;
	doctor_judge_uplinks(&u, &nobody, &out);
	check(&out, "uplinks.move", FINDING_NO, FINDING_BREAKS, "wlan0 stays");
	check(&out, "uplinks.move", FINDING_NO, FINDING_BREAKS,
	      "br0 stays (kernel: \"immutable\")");
	check(&out, "uplinks.move", FINDING_NO, FINDING_NOTE,
	      "phy0, which is the phy of wlan0, would");
	assert_int_equal(findings_find(&out, "uplinks.move")->n_details, 3);
}

static void test_no_uplinks(void **state)
{
	struct doctor_uplinks u = uplinks_of(NULL, 0);
	AUTO_FINDINGS struct findings none = { 0 }, user = { 0 }, up = { 0 };

	(void)state;
	u.refusal = (struct err){ .code = ENODEV, .text = "no uplink" };
	doctor_judge_uplinks(&u, &nobody, &none);
	check(&none, "uplinks.move", FINDING_NO, FINDING_BREAKS, "no uplink");
	assert_null(findings_find(&none, "uplinks.manager"));
	u.refusal = (struct err){ 0 };
	u.is_root = false;
	doctor_judge_uplinks(&u, &nobody, &user);
	check(&user, "uplinks.move", FINDING_UNKNOWN, FINDING_OPEN, "only root");
	u.is_layout_up = true;
	doctor_judge_uplinks(&u, &nobody, &up);
	check(&up, "uplinks.move", FINDING_YES, FINDING_NOTE, "a tunnel is up");
}

static void add(struct doctor_processes *p, enum doctor_program program, const char *args,
		size_t len)
{
	struct doctor_process *one = &p->items[p->n++];

	*one = (struct doctor_process){ .program = program, .pid = (pid_t)p->n, .args_len = len };
	memcpy(one->args, args, len);
}

static void test_managers(void **state)
{
	struct doctor_uplink items[] = {
		{ .name = "eth0", .networkmanager = DOCTOR_UNMANAGED, .networkd = DOCTOR_MANAGED },
		{ .name = "eth1", .networkmanager = DOCTOR_MANAGED },
		{ .name = "wlan0", .is_wireless = true, .networkmanager = DOCTOR_UNMANAGED },
	};
	struct doctor_uplinks u = uplinks_of(items, 3);
	struct doctor_processes p = { .items = calloc(8, sizeof(*p.items)) };
	AUTO_FINDINGS struct findings out = { 0 };

	(void)state;
	assert_non_null(p.items);
	add(&p, DOCTOR_NETWORKMANAGER, ARGS("NetworkManager"));
	add(&p, DOCTOR_NETWORKD, ARGS("systemd-networkd"));
	add(&p, DOCTOR_WPA_SUPPLICANT, ARGS("wpa_supplicant\0-u\0-s"));
	add(&p, DOCTOR_DHCLIENT, ARGS("dhclient\0wlan0"));
	add(&p, DOCTOR_NSCD, ARGS("nscd"));
	doctor_judge_uplinks(&u, &p, &out);
	check(&out, "uplinks.manager", FINDING_YES, FINDING_WARNING,
	      "eth0 is managed by systemd-networkd (process 2), which");
	check(&out, "uplinks.manager", FINDING_YES, FINDING_WARNING,
	      "eth1 is managed by NetworkManager (process 1), which");
	check(&out, "uplinks.manager", FINDING_YES, FINDING_WARNING,
	      "wlan0 is managed by wpa_supplicant (process 3) and dhclient (process 4), which");
	assert_int_equal(findings_find(&out, "uplinks.manager")->n_details, 3);
	free(p.items);
}

static void test_values(void **state)
{
	(void)state;
	assert_true(doctor_has_value("[device]\nmanaged=true\n", "managed", "true", NULL));
	assert_true(doctor_has_value("A=b", "A", "c", "b"));
	assert_false(doctor_has_value("managed=true2", "managed", "true", NULL));
	assert_false(doctor_has_value("unmanaged=true", "managed", "true", NULL));
	assert_false(doctor_has_value("managed", "managed", "", NULL));
	assert_false(doctor_has_value("", "managed", "true", NULL));
}

static void test_hosts(void **state)
{
	static const struct {
		const char *text, *hosts;
	} cases[] = {
		{ "hosts: files dns\n", "files dns" },
		{ "passwd: files\n  hosts:\tfiles resolve # dns\ngroup: x\n", "files resolve" },
		{ "# hosts: files\nhosts:files", "files" },
		{ "hosts:\npasswd: files\n", "" },
		{ "hosts:   \nfiles\n", "" },
		{ "hosts", "" },
		{ "", "" },
	};
	char out[256], small[6];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		doctor_hosts_line(cases[i].text, out, sizeof(out));
		assert_string_equal(out, cases[i].hosts);
	}
	doctor_hosts_line("hosts: files dns\n", small, sizeof(small));
	assert_string_equal(small, "files");
}

static void test_names(void **state)
{
	struct doctor_process resolved = { .program = DOCTOR_RESOLVED, .pid = 9 };
	struct doctor_processes p = { .items = &resolved, .n = 1 };
	struct doctor_names n = { .manager = "resolved",
				  .is_resolv_conf_there = true,
				  .is_etc_read_only = true };
	AUTO_FINDINGS struct findings good = { 0 }, file = { 0 };

	(void)state;
	strcpy(n.hosts, "files myhostname dns [!UNAVAIL=return resolve]");
	doctor_judge_names(&n, &p, &good);
	check(&good, "names.resolver", FINDING_YES, FINDING_NOTE, "systemd-resolved");
	assert_int_equal(findings_find(&good, "names.nsswitch")->n_details, 0);
	n.manager = "file";
	n.is_resolv_conf_there = false;
	strcpy(n.hosts,
	       "files [NOTFOUND=return] libvirt libvirt_guest dns[UNAVAIL=return]wins [open");
	doctor_judge_names(&n, &p, &file);
	check(&file, "names.resolver", FINDING_YES, FINDING_WARNING, "programs do not ask it");
	check(&file, "names.resolver", FINDING_YES, FINDING_WARNING, "no /etc/resolv.conf");
	check(&file, "names.resolver", FINDING_YES, FINDING_WARNING, "/etc is mounted read-only");
	check(&file, "names.nsswitch", FINDING_YES, FINDING_WARNING,
	      "has libvirt libvirt_guest wins, which");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_backends),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_devices_in_arguments),
		cmocka_unit_test(test_uplinks_that_stay),
		cmocka_unit_test(test_no_uplinks),
		cmocka_unit_test(test_managers),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
