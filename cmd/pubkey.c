// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "wgns/ini.h"
#include "wgns/key.h"

static int fail(const char *text)
{
	fprintf(stderr, "wgns: pubkey: %s\n", text);
	return EXIT_FAILED;
}

/* wg(8) lets white space and NUL bytes follow the key, and nothing else */
static bool is_rest_empty(void)
{
	for (int c = getchar(); c != EOF; c = getchar()) {
		if (c != '\0' && !ini_is_space((char)c))
			return false;
	}
	return !ferror(stdin);
}

static int print_public(const char text[KEY_BASE64_LEN])
{
	char out[KEY_BASE64_LEN + 1];
	struct key private_key, public_key;

	if (key_parse(text, KEY_BASE64_LEN, &private_key) < 0)
		return fail("Key is not the correct length or format");
	int rc = key_public(&private_key, &public_key);
	key_wipe(&private_key);
	if (rc < 0)
		return fail("the public key cannot be computed");
	key_format(&public_key, out);
	puts(out);
	return cmd_flush(EXIT_DONE);
}

static int run(int argc, char **argv)
{
	char text[KEY_BASE64_LEN];
	int status;

	(void)argv;
	if (argc != 1)
		return cmd_usage(&cmd_pubkey,
				 "no argument is expected; the key is read from standard input");
	setvbuf(stdin, NULL, _IONBF, 0); /* no copy of the key stays behind */
	if (fread(text, 1, sizeof(text), stdin) != sizeof(text))
		status = fail("Key is not the correct length or format");
	else if (!is_rest_empty())
		status = fail("Trailing characters found after key");
	else
		status = print_public(text);
	explicit_bzero(text, sizeof(text));
	return status;
}

const struct cmd cmd_pubkey = {
	.name = "pubkey",
	.usage = "< PRIVATE-KEY",
	.summary = "print the public key of the private key on standard input",
	.help = "The same as wg pubkey:\n"
		"  wgns pubkey < private.key > public.key\n",
	.run = run,
};
