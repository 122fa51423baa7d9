// SPDX-License-Identifier: GPL-2.0-or-later
/* text, picture and JSON of a view that is filled by hand */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../cmd/status.h"

#define NOW 1700000000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct addr prefix(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse_prefix(text, strlen(text), &a), 0);
	return a;
}

static struct status_link *add_link(struct status_box *box, const char *name, const char *addrs)
{
	struct status_link *l = reallocarray(box->links, box->n_links + 1, sizeof(*l));
	char copy[512];

	assert_non_null(l);
	box->links = l;
	l += box->n_links++;
	*l = (struct status_link){ .mtu = 1500, .is_up = true, .has_carrier = true };
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	(void)snprintf(copy, sizeof(copy), "%s", addrs);
	l->addrs = calloc(8, sizeof(*l->addrs));
	assert_non_null(l->addrs);
	for (char *save, *a = strtok_r(copy, " ", &save); a; a = strtok_r(NULL, " ", &save))
		l->addrs[l->n_addrs++] = prefix(a);
	return l;
}

static void add_proc(struct status_box *box, pid_t pid, uid_t uid, const char *user,
		     const char *comm)
{
	struct status_proc *p = reallocarray(box->procs, box->n_procs + 1, sizeof(*p));

	assert_non_null(p);
	box->procs = p;
	p += box->n_procs++;
	*p = (struct status_proc){ .pid = pid, .uid = uid };
	(void)snprintf(p->user, sizeof(p->user), "%s", user);
	(void)snprintf(p->comm, sizeof(p->comm), "%s", comm);
	box->n_procs_all++;
}

static struct status_tunnel *add_tunnel(struct status_view *v, const char *name, const char *place,
					const char *birthplace)
{
	struct status_tunnel *t = reallocarray(v->tunnels, v->n_tunnels + 1, sizeof(*t));

	assert_non_null(t);
	v->tunnels = t;
	t += v->n_tunnels++;
	*t = (struct status_tunnel){ .state = STATUS_UP, .has_device = true };
	(void)snprintf(t->meta.device.name, sizeof(t->meta.device.name), "%s", name);
	(void)snprintf(t->meta.place, sizeof(t->meta.place), "%s", place);
	(void)snprintf(t->meta.birthplace, sizeof(t->meta.birthplace), "%s", birthplace);
	(void)snprintf(t->meta.layout, sizeof(t->meta.layout), "physical");
	(void)snprintf(t->meta.backend, sizeof(t->meta.backend), "kernel");
	(void)snprintf(t->meta.file, sizeof(t->meta.file), "/etc/wireguard/%s.conf", name);
	t->meta.since = NOW - 7380;
	t->device.has_listen_port = true;
	t->device.listen_port = 51820;
	t->device.has_public_key = t->device.has_private_key = true;
	memset(t->device.public_key.bytes, 0x11, KEY_LEN);
	memset(t->device.private_key.bytes, 0x22, KEY_LEN);
	return t;
}

static struct wg_peer *add_peer(struct status_tunnel *t, int64_t age)
{
	struct wg_peer *p = wg_device_add_peer(&t->device);
	struct addr all = prefix("0.0.0.0/0");

	assert_non_null(p);
	memset(p->public_key.bytes, 0x33, KEY_LEN);
	memset(p->preshared_key.bytes, 0x5a, KEY_LEN);
	p->has_preshared_key = true;
	assert_int_equal(wg_peer_add_allowed_ip(p, &all, false), 0);
	assert_int_equal(wg_endpoint_numeric("203.0.113.5", "51820", &p->endpoint), 0);
	p->last_handshake = age < 0 ? 0 : NOW - age;
	p->rx_bytes = 3 * 1024 * 1024 + 300 * 1024;
	p->tx_bytes = 1000;
	return p;
}

static struct status_box *add_box(struct status_view *v, const char *name)
{
	struct status_box *b = reallocarray(v->boxes, v->n_boxes + 1, sizeof(*b));

	assert_non_null(b);
	v->boxes = b;
	b += v->n_boxes++;
	*b = (struct status_box){ .has_procs = strcmp(name, STATUS_HOME) != 0 };
	(void)snprintf(b->name, sizeof(b->name), "%s", name);
	return b;
}

/* a laptop: wg0 up, ethernet and an idle radio in physical, a browser there */
static void fill_laptop(struct status_view *v)
{
	*v = (struct status_view){ .now = NOW, .is_root = true, .has_tunnels = true };

	struct status_tunnel *t = add_tunnel(v, "wg0", "home", "physical");
	(void)snprintf(t->meta.dns, sizeof(t->meta.dns), "file");
	add_peer(t, 12);
	status_judge(t, NOW);

	struct status_box *home = add_box(v, "home");
	add_link(home, "lo", "127.0.0.1/8 ::1/128")->is_loopback = true;
	add_link(home, "wg0", "10.7.0.2/32 fd00:7::2/128 fe80::1/64")->mtu = 1420;
	add_link(home, "docker0", "172.17.0.1/16");

	struct status_box *physical = add_box(v, "physical");
	(void)snprintf(physical->group, sizeof(physical->group), "wgns");
	add_link(physical, "lo", "127.0.0.1/8")->is_loopback = true;
	add_link(physical, "eth0", "192.0.2.17/24 2001:db8:1234:5678:9abc:def0:1234:5678/64");
	add_link(physical, "wlan0", "")->has_carrier = false;
	for (pid_t pid = 4711; pid < 4723; pid++)
		add_proc(physical, pid, 1000, "alice", "chromium");
	add_proc(physical, 900, 0, "root", "dhclient");
}

static char *render(void (*add)(struct strbuf *, const struct status_view *,
				const struct status_style *),
		    const struct status_view *v, bool has_colour, bool has_utf8)
{
	struct strbuf b = { 0 };

	add(&b, v, &(struct status_style){ .has_colour = has_colour, .has_utf8 = has_utf8 });
	char *text = strbuf_finish(&b);
	assert_non_null(text);
	return text;
}

/* columns of the widest line; escape sequences and continuation bytes take none */
static size_t width(const char *text)
{
	size_t widest = 0, n = 0;

	for (const char *c = text; *c; c++) {
		if (*c == '\033')
			c = strchr(c, 'm');
		else if (*c == '\n')
			n = 0;
		else if (((unsigned char)*c & 0xc0) != 0x80)
			n++;
		widest = n > widest ? n : widest;
	}
	return widest;
}

static void assert_holds(const char *text, const char *needle)
{
	if (!strstr(text, needle))
		fail_msg("'%s' is not in:\n%s", needle, text);
}

static void test_picture_laptop(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	char *text = render(status_add_picture, &v, false, false);
	assert_string_equal(
		text,
		" + home ----- through the tunnel +            + physical ------- straight out +\n"
		" | wg0                           |============| UDP port 51820                |\n"
		" |   10.7.0.2/32                 |     up     |   to 203.0.113.5:51820        |\n"
		" |   fd00:7::2/128               |            |                               |\n"
		" |                               |            |                               |\n"
		" | docker0  172.17.0.1/16        |            | eth0  192.0.2.17/24           |\n"
		" |                               |            |   2001:db8:1234:5678:9abc:d.. |\n"
		" | every ordinary program        |            | wlan0  no carrier             |\n"
		" |                               |            |                               |\n"
		" |                               |            | chromium (12)  alice          |\n"
		" |                               |            | dhclient  root                |\n"
		" +-------------------------------+            +-------------------------------+\n"
		"\n");
	free(text);

	text = render(status_add_picture, &v, true, true);
	assert_holds(text, " ┌ \033[1mhome\033[0m ───── through the tunnel ┐");
	assert_holds(text, "╞\033[32m════════════\033[0m╡");
	assert_holds(text, "│   2001:db8:1234:5678:9abc:de… │\n");
	assert_int_equal(width(text), 79);
	free(text);
}

static void test_picture_states(void **state)
{
	static const struct {
		enum status_state state;
		const char *line, *word;
	} cases[] = {
		{ STATUS_UP, "|============|", "|     up     |" },
		{ STATUS_NO_HANDSHAKE, "|- - - - - - |", "|no handshake|" },
		{ STATUS_STALE, "|- - - - - - |", "|   stale    |" },
		{ STATUS_BROKEN, "|==== x  ====|", "|   broken   |" },
		{ STATUS_UNFINISHED, "|- - - - - - |", "| unfinished |" },
		{ STATUS_UNKNOWN, "|- - - - - - |", "|  unknown   |" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_VIEW struct status_view v;

		fill_laptop(&v);
		v.tunnels[0].state = cases[i].state;
		char *text = render(status_add_picture, &v, false, false);
		assert_holds(text, cases[i].line);
		assert_holds(text, cases[i].word);
		free(text);
	}
}

/* nothing that a device, a box or a program is called breaks the panes */
static void test_picture_is_never_wider(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	(void)snprintf(v.tunnels[0].meta.birthplace, STATE_PLACE_MAX, "%0*d", STATE_PLACE_MAX - 1,
		       7);
	(void)snprintf(v.boxes[1].name, STATE_PLACE_MAX, "%s", v.tunnels[0].meta.birthplace);
	(void)snprintf(v.boxes[1].links[1].name, IFNAMSIZ,
		       "\xff\xfe\x1b[31m\\\xe2\x82\xac"
		       "1234");
	(void)snprintf(v.boxes[1].procs[0].user, sizeof(v.boxes[1].procs[0].user), "%063d", 1);
	(void)snprintf(v.boxes[1].procs[0].comm, sizeof(v.boxes[1].procs[0].comm),
		       "\xf0\x9f\xa6\x8a\n\t");
	for (int i = 0; i < 20; i++)
		add_link(&v.boxes[0], "veth0", "2001:db8:1234:5678:9abc:def0:1234:5678/128");
	for (int i = 0; i < 5; i++) {
		char comm[16];
		(void)snprintf(comm, sizeof(comm), "prog%d", i);
		add_proc(&v.boxes[1], 5000 + i, 1001, "bob", comm);
	}
	for (int utf8 = 0; utf8 < 2; utf8++) {
		char *text = render(status_add_picture, &v, utf8, utf8);
		assert_int_equal(width(text), 79);
		assert_null(strchr(text, '\t'));
		assert_null(strstr(text, "\x1b[31m"));
		assert_holds(text, "and 13 more"); /* devices: docker0 and 20 others, 8 shown */
		assert_holds(text, "and 2 more"); /* programs: 8 different ones, 6 shown */
		free(text);
	}
}

static void test_picture_several_tunnels_and_boxes(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	status_judge(add_tunnel(&v, "wg1", "home", "physical"), NOW);
	add_tunnel(&v, "wg2", "work", "physical");
	add_tunnel(&v, "wg3", "home", "home"); /* goes nowhere: not drawn */
	add_box(&v, "work");
	add_peer(&v.tunnels[2], 1);
	add_peer(&v.tunnels[2], 1);

	char *text = render(status_add_picture, &v, false, false);
	char *second = strstr(text, " + work ");
	assert_non_null(second);
	assert_holds(text, "| wg1                           |- - - - - - | UDP port 51820");
	assert_holds(second, "| wg2 ");
	assert_holds(second, "|   2 peers ");
	assert_holds(second, "| no program of yours ");
	assert_null(strstr(second, "| wg1 "));
	assert_null(strstr(text, "wg3"));
	free(text);

	v.only = "wg2";
	text = render(status_add_picture, &v, false, false);
	assert_null(strstr(text, "+ home"));
	assert_holds(text, "| wg2 ");
	free(text);
	v.only = "wg3";
	text = render(status_add_picture, &v, false, false);
	assert_string_equal(text, "");
	free(text);
}

/* wireguard-go lives in physical, but nobody started it there; two of them are two tunnels */
static void test_picture_without_daemons(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	add_tunnel(&v, "wg1", "home", "physical");
	v.tunnels[0].meta.device.pid = 31;
	v.tunnels[1].meta.device.pid = 32;
	v.boxes[1].n_procs = v.boxes[1].n_procs_all = 0;
	add_proc(&v.boxes[1], 31, 0, "root", "wireguard-go");
	add_proc(&v.boxes[1], 32, 0, "root", "wireguard-go");
	char *text = render(status_add_picture, &v, false, false);
	assert_null(strstr(text, "wireguard-go"));
	assert_holds(text, "| no program of yours ");
	free(text);
}

static void test_text_laptop(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	v.boxes[1].n_procs = 2;
	char *text = render(status_add_text, &v, false, false);
	assert_string_equal(
		text,
		"wg0: up, last handshake 12 s ago\n"
		"  layout          physical: cleartext in home, UDP in physical\n"
		"  backend         kernel\n"
		"  addresses       10.7.0.2/32, fd00:7::2/128, fe80::1/64\n"
		"  mtu             1420\n"
		"  listen port     51820\n"
		"  public key      ERERERERERERERERERERERERERERERERERERERERERE=\n"
		"  dns             in /etc/resolv.conf\n"
		"  file            /etc/wireguard/wg0.conf\n"
		"  since           2 h 3 min ago\n"
		"  peer            MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM=\n"
		"    endpoint      203.0.113.5:51820\n"
		"    allowed ips   0.0.0.0/0\n"
		"    preshared key (hidden)\n"
		"    handshake     12 s ago\n"
		"    transfer      3.3 MiB received, 1000 B sent\n"
		"\n"
		"home\n"
		"  lo              up  127.0.0.1/8, ::1/128\n"
		"  wg0             up, tunnel  10.7.0.2/32, fd00:7::2/128, fe80::1/64\n"
		"  docker0         up  172.17.0.1/16\n"
		"\n"
		"physical\n"
		"  lo              up  127.0.0.1/8\n"
		"  eth0            up  192.0.2.17/24, 2001:db8:1234:5678:9abc:def0:1234:5678/64\n"
		"  wlan0           no carrier\n"
		"  programs        4711    alice      chromium\n"
		"                  4712    alice      chromium\n"
		"                  and 11 more\n");
	free(text);
}

static void test_text_headlines(void **state)
{
	static const struct {
		enum status_state state;
		size_t n_peers;
		const char *reason, *want;
	} cases[] = {
		{ STATUS_STALE, 1, "", "wg0: stale, last handshake 5 min 0 s ago\n" },
		{ STATUS_NO_HANDSHAKE, 1, "", "wg0: no handshake yet\n" },
		{ STATUS_NO_HANDSHAKE, 0, "", "wg0: no handshake: it has no peer\n" },
		{ STATUS_BROKEN, 1, "gone\n", "wg0: broken: gone\\x0a\n" },
		{ STATUS_UNKNOWN, 0, "only root sees it", "wg0: unknown: only root sees it\n" },
		{ STATUS_UNFINISHED, 1, "", "wg0: unfinished: `up` is at work, or was" },
		{ STATUS_UNFINISHED, 1, "it waits",
		  "wg0: unfinished: it waits; `wgns confirm wg0` keeps it\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_VIEW struct status_view v = { .now = NOW };
		struct status_tunnel *t = add_tunnel(&v, "wg0", "home", "physical");

		if (cases[i].n_peers)
			add_peer(t, 300);
		status_judge(t, NOW);
		t->state = cases[i].state;
		(void)snprintf(t->reason, sizeof(t->reason), "%s", cases[i].reason);
		char *text = render(status_add_text, &v, false, false);
		assert_memory_equal(text, cases[i].want, strlen(cases[i].want));
		free(text);
	}
}

static void test_text_odd_bytes_are_escaped(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	(void)snprintf(v.tunnels[0].meta.file, PATH_MAX, "/tmp/\x1b]0;x\a\xc3\xbc\\.conf");
	(void)snprintf(v.boxes[1].procs[0].comm, 32, "a\nroot  b");
	char *text = render(status_add_text, &v, false, false);
	assert_holds(text, "  file            /tmp/\\x1b]0;x\\x07\\xc3\\xbc\\x5c.conf\n");
	assert_holds(text, "alice      a\\x0aroot  b\n");
	free(text);
}

static void test_judge(void **state)
{
	static const struct {
		int64_t ages[2]; /* -1: never */
		enum status_state want;
	} cases[] = {
		{ { -1, -1 }, STATUS_NO_HANDSHAKE }, { { 0, -1 }, STATUS_UP },
		{ { 180, -1 }, STATUS_UP },	     { { 181, -1 }, STATUS_STALE },
		{ { 99999, 3 }, STATUS_UP },	     { { 3, 99999 }, STATUS_UP },
		{ { -1, 181 }, STATUS_STALE },	     { { -1, 0 }, STATUS_UP },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_VIEW struct status_view v = { .now = NOW };
		struct status_tunnel *t = add_tunnel(&v, "wg0", "home", "physical");

		add_peer(t, cases[i].ages[0]);
		add_peer(t, cases[i].ages[1]);
		status_judge(t, NOW);
		assert_int_equal(t->state, cases[i].want);
	}
}

static void test_age(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
		{ -5, "0 s" },
		{ 0, "0 s" },
		{ 59, "59 s" },
		{ 60, "1 min 0 s" },
		{ 3599, "59 min 59 s" },
		{ 3600, "1 h 0 min" },
		{ 86399, "23 h 59 min" },
		{ 86400, "1 d 0 h" },
		{ 8640000, "100 d 0 h" },
		{ INT64_MAX, "106751991167300 d 15 h" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		status_age(cases[i].seconds, text, sizeof(text));
		assert_string_equal(text, cases[i].want);
	}
}

static void test_bytes(void **state)
{
	static const struct {
		uint64_t n;
		const char *want;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1048575, "1.0 MiB" },
		{ 5368709120u, "5.0 GiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		status_bytes(cases[i].n, text, sizeof(text));
		assert_string_equal(text, cases[i].want);
	}
}

static json_t *parse(const struct status_view *v)
{
	char *text = status_json(v);
	json_error_t why;

	assert_non_null(text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		fail_msg("%s at line %d of:\n%s", why.text, why.line, text);
	free(text);
	return root;
}

static void test_json_laptop(void **state)
{
	AUTO_VIEW struct status_view v;
	const char *name, *status, *inside, *birthplace, *key, *addr, *endpoint, *allowed, *comm;
	json_int_t schema, since, handshake, rx, tx, port, mtu, n_procs, pid, uid;
	int is_complete, has_psk, is_up, has_carrier, is_tunnel;
	json_t *reason;

	(void)state;
	fill_laptop(&v);
	json_t *root = parse(&v);
	assert_int_equal(
		json_unpack(root,
			    "{s:I, s:b, s:[{s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:s, s:I, s:I,"
			    " s:[s, s, s!], s:[{s:s, s:b, s:[s!], s:I, s:I}!]}!]}",
			    "schema", &schema, "is_complete", &is_complete, "tunnels", "name",
			    &name, "state", &status, "reason", &reason, "inside", &inside,
			    "birthplace", &birthplace, "since", &since, "last_handshake",
			    &handshake, "public_key", &key, "listen_port", &port, "mtu", &mtu,
			    "addresses", &addr, &allowed, &allowed, "peers", "endpoint", &endpoint,
			    "has_preshared_key", &has_psk, "allowed_ips", &allowed, "rx_bytes", &rx,
			    "tx_bytes", &tx),
		0);
	assert_int_equal(schema, 1);
	assert_true(is_complete && has_psk && json_is_null(reason));
	assert_string_equal(name, "wg0");
	assert_string_equal(status, "up");
	assert_string_equal(inside, "home");
	assert_string_equal(birthplace, "physical");
	assert_string_equal(key, "ERERERERERERERERERERERERERERERERERERERERERE=");
	assert_string_equal(addr, "10.7.0.2/32");
	assert_string_equal(endpoint, "203.0.113.5:51820");
	assert_string_equal(allowed, "0.0.0.0/0");
	assert_true(since == NOW - 7380 && handshake == NOW - 12);
	assert_true(port == 51820 && mtu == 1420 && rx == 3452928 && tx == 1000);

	assert_int_equal(json_unpack(root, "{s:[o, {s:s, s:I, s:[o, o, {s:b, s:b, s:b}!]}]}",
				     "boxes", &reason, "name", &name, "n_processes", &n_procs,
				     "links", &reason, &reason, "is_up", &is_up, "has_carrier",
				     &has_carrier, "is_tunnel", &is_tunnel),
			 0);
	assert_string_equal(name, "physical");
	assert_int_equal(n_procs, 13);
	assert_true(is_up && !has_carrier && !is_tunnel);
	json_t *proc = json_array_get(
		json_object_get(json_array_get(json_object_get(root, "boxes"), 1), "processes"), 0);
	assert_int_equal(json_unpack(proc, "{s:I, s:I, s:s, s:s!}", "pid", &pid, "uid", &uid,
				     "user", &name, "command", &comm),
			 0);
	assert_true(pid == 4711 && uid == 1000);
	assert_string_equal(comm, "chromium");
	json_decref(root);
}

static void test_json_nothing_up(void **state)
{
	AUTO_VIEW struct status_view v = { .now = NOW, .has_tunnels = true };
	size_t n_tunnels;

	(void)state;
	json_t *root = parse(&v);
	n_tunnels = json_array_size(json_object_get(root, "tunnels"));
	assert_int_equal(n_tunnels, 0);
	assert_true(json_is_array(json_object_get(root, "boxes")));
	assert_true(json_is_false(json_object_get(root, "is_complete")));
	json_decref(root);
}

static void test_json_odd_bytes_and_unknowns(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	(void)snprintf(v.boxes[1].procs[0].comm, 32, "\xff\"\n");
	v.tunnels[0].has_device = false;
	json_t *root = parse(&v);
	json_t *tunnel = json_array_get(json_object_get(root, "tunnels"), 0);
	static const char *const nulls[] = { "public_key", "listen_port", "fwmark", "peers" };
	for (size_t i = 0; i < COUNT(nulls); i++)
		assert_true(json_is_null(json_object_get(tunnel, nulls[i])));
	json_t *proc = json_array_get(
		json_object_get(json_array_get(json_object_get(root, "boxes"), 1), "processes"), 0);
	assert_string_equal(json_string_value(json_object_get(proc, "command")), "\\xff\"\\x0a");
	json_decref(root);
}

static void test_json_only_one(void **state)
{
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	add_tunnel(&v, "wg1", "home", "physical");
	v.only = "wg1";
	json_t *root = parse(&v);
	assert_int_equal(json_array_size(json_object_get(root, "tunnels")), 1);
	json_decref(root);
}

/* even of a view whose keys were not wiped */
static void test_no_secret_in_any_output(void **state)
{
	static const char *const secrets[] = {
		"IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=",
		"WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=",
	};
	AUTO_VIEW struct status_view v;

	(void)state;
	fill_laptop(&v);
	char *texts[] = {
		render(status_add_picture, &v, true, true),
		render(status_add_text, &v, true, true),
		status_json(&v),
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_non_null(texts[i]);
		for (size_t k = 0; k < COUNT(secrets); k++)
			assert_null(strstr(texts[i], secrets[k]));
		free(texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picture_laptop),
		cmocka_unit_test(test_picture_states),
		cmocka_unit_test(test_picture_is_never_wider),
		cmocka_unit_test(test_picture_several_tunnels_and_boxes),
		cmocka_unit_test(test_picture_without_daemons),
		cmocka_unit_test(test_text_laptop),
		cmocka_unit_test(test_text_headlines),
		cmocka_unit_test(test_text_odd_bytes_are_escaped),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_json_laptop),
		cmocka_unit_test(test_json_nothing_up),
		cmocka_unit_test(test_json_odd_bytes_and_unknowns),
		cmocka_unit_test(test_json_only_one),
		cmocka_unit_test(test_no_secret_in_any_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
