"""The patterns of secrets, as tables: known formats, command lines, SQL, consoles, files, addresses.

`HINTS` are RE2 and become part of one automaton that runs over whole blocks of text. A hint may be too generous, never
too narrow, and it is short: what it remembers of the line multiplies the automaton's states. The patterns themselves run
on the few lines with a hint. Every repeat in them is bounded or possessive, so no line costs more than linear time.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One way a secret shows. The groups of `pattern` (Python's `re`) are what to mask, counted under `kind`."""

    kind: str
    needs: tuple[str, ...]  # one of these stands in the line, in lower case, where the pattern matches
    pattern: str
    any_value: bool = True  # False: only where the value looks like a password or a key
    certain: bool = False  # the form alone says that it is a secret


B64: Final = r"[A-Za-z0-9+/_=-]"
WORD: Final = r"[A-Za-z0-9_-]"

# prefix, the characters that follow it, how many at least. Sources: the issuers' own documentation of their formats.
KNOWN_FORMATS: Final[tuple[tuple[str, str, int], ...]] = (
    (r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])", r"[A-Z0-9]", 14),  # AWS access key id
    (r"ABSK|bedrock-api-key-", B64, 20),
    (r"FwoGZXIvYXdz|IQoJb3JpZ2lu", r"[A-Za-z0-9+/=]", 20),  # AWS session token
    (r"amzn\.mws\.", r"[0-9a-f-]", 32),
    (r"LTAI", r"[A-Za-z0-9]", 16),  # Alibaba
    (r"AKID", r"[A-Za-z0-9]", 32),  # Tencent
    (r"AIza", WORD, 30),  # Google API key
    (r"GOCSPX-", WORD, 20),
    (r"ya29\.", r"[A-Za-z0-9_.-]", 20),
    (r"1//0", WORD, 30),  # Google refresh token
    (r"GOOG1?", r"[A-Z0-9]", 20),
    (r"SCW", r"[A-Z0-9]", 17),  # Scaleway access key
    (r"(?:gh[pousr]|ghv)_", r"[A-Za-z0-9]", 20),
    (r"github_pat_", r"\w", 20),
    (r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-", r"[A-Za-z0-9_.-]", 16),
    (r"GR1348941", WORD, 16),
    (r"AT(?:BB|CTT|ATT|OT)[A-Za-z0-9]", r"[A-Za-z0-9_=-]", 20),  # Atlassian, Bitbucket
    (r"BBDC-", r"[A-Za-z0-9]", 20),
    (r"(?:sk|rk)_(?:live|test|prod)_", r"[A-Za-z0-9]", 10),
    (r"whsec_", r"[A-Za-z0-9+/=]", 16),
    (r"(?:access|sandbox)_token\$", r"[A-Za-z0-9$]", 20),  # Braintree, PayPal
    (r"xox[a-z]-|xoxe\.xox[bp]-|xapp-\d-", r"[A-Za-z0-9-]", 10),
    (r"SG\.[A-Za-z0-9_-]+\.", WORD, 16),
    (r"key-", r"[0-9a-f]", 32),  # Mailgun
    (r"(?:xkeysib|xsmtpsib)-", r"[A-Za-z0-9-]", 24),
    (r"md-", r"[A-Za-z0-9_-]", 22),  # Mandrill
    (r"mlsn\.", r"[0-9a-f]", 32),
    (r"re_[A-Za-z0-9]+_", r"[A-Za-z0-9]", 16),  # Resend
    (r"sk-(?:proj|svcacct|admin|ant|or|lf|None|live|test)-", WORD, 16),
    (r"sk-", r"[A-Za-z0-9]", 24),
    (r"gsk_|pplx-|r8_|xai-|fw_|jina_|tgp_v1_|csk-|nvapi-|cpk_|voy-|pa-", WORD, 28),
    (r"(?:hf|api_org)_", r"[A-Za-z0-9]", 24),
    (r"npm_", r"[A-Za-z0-9]", 24),
    (r"pypi-", WORD, 24),
    (r"rubygems_", r"[0-9a-f]", 24),
    (r"dckr_(?:pat|oat)_", WORD, 16),
    (r"(?:dop|doo|dor)_v1_", r"[0-9a-f]", 24),
    (r"HRKU-", r"[A-Za-z0-9_-]", 24),
    (r"tk-us-", WORD, 16),  # Scalingo
    (r"(?:ovh|ovhcloud)_(?:pat|sk)_", WORD, 16),
    (r"clever_|CLEVER_", r"[A-Za-z0-9]", 32),
    (r"NRAK-", r"[A-Z0-9]", 20),
    (r"NR(?:II|IQ|RA|JS|SP|AA)-", WORD, 20),
    (r"ddp_|ddapp_", r"[A-Za-z0-9]", 24),
    (r"sntry[su]_", B64, 24),
    (r"gl(?:sa|c)_|eyJrIjoi", B64, 24),
    (r"hv[sbr]\.", WORD, 20),
    (r"s\.", r"[A-Za-z0-9]", 24),  # Vault before 1.10
    (r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]+\.)?", r"[A-Za-z0-9]", 24),
    (r"lin_(?:api|oauth|wh)_", r"[A-Za-z0-9]", 24),
    (r"(?:ntn|secret)_", r"[A-Za-z0-9]", 40),  # Notion
    (r"pat[A-Za-z0-9]+\.", r"[0-9a-f]", 32),  # Airtable
    (r"shp(?:at|ca|pa|ss|tka|ua)_", r"[A-Za-z0-9]", 24),
    (r"sq0(?:atp|csp|idp)-|EAAA[A-Za-z]", WORD, 20),
    (r"EAA[A-Z]", r"[A-Za-z0-9]", 60),  # Facebook
    (r"(?:sk|tk)\.eyJ", r"[A-Za-z0-9_.-]", 24),  # Mapbox
    (r"v1\.0-", r"[0-9a-f-]", 60),  # Cloudflare origin CA
    (r"(?:cfut|cfat|cfk)_", r"[A-Za-z0-9]", 30),
    (r"nf[pcobu]_", r"[A-Za-z0-9]", 24),  # Netlify
    (r"vc[pcikar]_|vercel_blob_rw_", WORD, 20),
    (r"sb[ps]_|sb_secret_", r"[A-Za-z0-9_]", 24),  # Supabase
    (r"pscale_(?:tkn|oauth|pw)_", r"[\w=.-]", 24),
    (r"dapi", r"[0-9a-f]", 32),  # Databricks
    (r"dose", r"[0-9a-f]", 32),
    (r"pul-", r"[0-9a-f]", 32),
    (r"PMAK-", r"[A-Za-z0-9-]", 40),
    (r"fo1_|fm[12][ar]?_", r"[\w+/,=-]", 32),  # Fly.io
    (r"rnd_", r"[A-Za-z0-9]", 24),
    (r"rw_|railway_", r"[A-Za-z0-9_]", 32),
    (r"phc_|phx_|phs_", r"[A-Za-z0-9]", 32),
    (r"figd_|figu_", WORD, 24),
    (r"CFPAT-", WORD, 24),
    (r"shippo_(?:live|test)_", r"[0-9a-f]", 24),
    (r"EZ[AT]K", r"[A-Za-z0-9]", 40),
    (r"duffel_(?:live|test)_", WORD, 24),
    (r"FLWSECK(?:_TEST)?-", r"[A-Za-z0-9-]", 12),
    (r"rzp_(?:live|test)_", r"[A-Za-z0-9]", 14),
    (r"(?:live|test)_", r"[A-Za-z0-9]", 30),  # Mollie
    (r"lmfwc_|rdme_|pnu_|sgp_|glagent-", r"[A-Za-z0-9_]", 24),
    (r"dt0[a-z]\d{2}\.", r"[A-Za-z0-9.]", 40),  # Dynatrace
    (r"ops_eyJ", B64, 32),  # 1Password service account
    (r"A3-", r"[A-Z0-9-]", 26),
    (r"AKCp", r"[A-Za-z0-9]", 40),  # Artifactory
    (r"cmVmd", r"[A-Za-z0-9]", 40),
    (r"AGE-SECRET-KEY-1", r"[A-Z0-9]", 20),
    (r"sha256~", WORD, 30),  # OpenShift
    (r"tskey-(?:auth|api|client|scim|webhook)-", WORD, 12),
    (r"ngrok_", r"[A-Za-z0-9]", 18),
    (r"(?:sm|oy)_(?:pat|aat|sat)_", r"[A-Za-z0-9]", 16),
    (r"cio_|crates_io_|cio", r"[A-Za-z0-9]", 30),
    (r"CLOJARS_", r"[a-z0-9]", 40),
    (r"API-", r"[A-Z0-9]", 26),  # Octopus
    (r"p8e-", r"[A-Za-z0-9]", 32),
    (r"ico-", r"[A-Za-z0-9]", 32),
    (r"fio-u-", r"[\w=-]", 40),
    (r"DEFANGED_|hooks_", r"[A-Za-z0-9]", 40),
    (r"SK", r"[0-9a-f]", 32),  # Twilio API key
    (r"eyJ[A-Za-z0-9_-]+\.", r"[A-Za-z0-9_.=-]", 8),  # JWT, JWE
    (r"ZXlK", r"[A-Za-z0-9+/]", 60),  # a JWT in base64
    (r"LS0tLS1CRUdJTiB(?:SU0EgUFJJVkFUR|FQyBQUklWQVRF|QUklWQVRFIEtF|PUEVOU1NIIFBSSVZB|FTkNSWVBURUQgUFJJ|EU0EgUFJJ|QR1AgUFJJ)",
     r"[A-Za-z0-9+/=]", 20),  # a PEM private key in base64
    (r"b3BlbnNzaC1rZXktdjE", r"[A-Za-z0-9+/=]", 20),  # an OpenSSH private key's first line
)  # fmt: skip

PASSWORD_HASHES: Final[tuple[str, ...]] = (
    r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{22,60}",
    r"\$argon2(?:id|i|d)\$[A-Za-z0-9=,.$+/-]{20,400}",
    r"\$(?:1|5|6|7|y|gy|apr1|md5|sha1|scrypt|bcrypt-sha256|pbkdf2(?:-sha(?:1|256|512))?)\$[./A-Za-z0-9$=,+-]{16,400}",
    r"\$[PHS]\$[./A-Za-z0-9]{20,80}",
    r"(?:pbkdf2_sha(?:1|256|512)|bcrypt(?:_sha256)?|argon2|scrypt|md5|sha1|pbkdf2|argon2id?)\$[A-Za-z0-9./+$=,_-]{16,400}",
    r"(?:pbkdf2:sha(?:1|256|512)|scrypt|sha1|sha256)(?::[0-9]{1,9}){0,4}\$[A-Za-z0-9./+$=-]{16,400}",
    r"pbkdf2[-_]sha(?:256|512)[:$][0-9]{3,8}[:$][A-Za-z0-9./+$=:_-]{16,300}",
    r"SCRAM-SHA-(?:1|256|512)\$[0-9]{2,9}:[A-Za-z0-9+/=]{8,100}\$[A-Za-z0-9+/=:]{20,300}",
    r"\{(?:SSHA(?:256|384|512)?|SHA(?:256|384|512)?|SMD5|CRYPT|MD5|ARGON2|BCRYPT|PBKDF2[A-Z0-9-]{0,12})\}[A-Za-z0-9+/=$.,-]{12,300}",
    r"grub\.pbkdf2\.sha512\.[0-9]{2,9}\.[0-9A-F.]{40,600}",
    r"\*[0-9A-F]{40}",  # mysql_native_password
    r"md5[0-9a-f]{32}\b",  # PostgreSQL's, of password and name
)
HASH_HINT: Final = (
    r"\$(?:2[abxy]?|argon2\w*|[1567y]|gy|apr1|md5|sha1|scrypt|bcrypt-sha256|pbkdf2[\w-]*|[PHS])\$[./A-Za-z0-9]|"
    r"(?:sha(?:1|256|512)|bcrypt\w*|argon2\w*|scrypt|md5|pbkdf2\w*)[:0-9]*\$[./A-Za-z0-9]|pbkdf2[-_:]sha|SCRAM-SHA|"
    r"\{(?:S?SHA|SMD5|CRYPT|MD5|ARGON2|BCRYPT|PBKDF2)[A-Z0-9-]*\}|\*[0-9A-F]{6}|\bmd5[0-9a-f]{32}\b"
)
# RE2: where one may begin. That many characters follow would cost the automaton as many states for each format.
FORMAT_BEGINS: Final = "|".join(f"(?:{prefix}){tail}{{4}}" for prefix, tail, _ in KNOWN_FORMATS)
FORMAT_HINT: Final = rf"(?:\b|_|\\[nrt])(?:{FORMAT_BEGINS})"
KNOWN_FORMAT: Final = "|".join(f"(?:{prefix}){tail}{{{least},}}" for prefix, tail, least in KNOWN_FORMATS)
PASSWORD_HASH: Final = "|".join(PASSWORD_HASHES)

# A value as shells, SQL and programs quote it. Three groups: the one that took part holds the value.
VALUE: Final = r"""(?:"((?:[^"\\\n]|\\.){1,400})"|'((?:[^'\\\n]|\\.){1,400})'|([^\s"'`|;<>()&]{1,400}))"""
STRING: Final = r"""[bNEurf@]?(?:\\?"((?:[^"\\\n]|\\[^"]){1,400})\\?"|\\?'((?:[^'\\\n]|''|\\.){1,400}?)\\?'(?!'))"""

_START: Final = r"(?:^|[\s;|&(/`$'\"=])"
# Login and password joined by a colon, as HTTP clients take them.
_LOGIN: Final = r"""["']?[^\s:"'$]{0,120}:([^\s"']{1,300})"""


def _command(programs: str, flag: str, value: str = VALUE, *, any_value: bool = True) -> Rule:
    """`flag` of one of `programs` (names with blanks between) takes a secret; 400 characters may stand between them."""
    names = programs.split()
    return Rule(
        "command line",
        tuple(f"{name} " for name in names),
        rf"{_START}(?:{'|'.join(map(re.escape, names))})\s[^|\n]{{0,400}}?{flag}{value}",
        any_value,
    )


_SQL_STRING: Final = r"(?:N|E|U&)?'((?:[^'\n]|''){1,300})'"
# `[^|\n]{0,400}?` before it takes the blank after the program's name, so the flag's own blank is one further back.
_F: Final = r"(?<=\s)"

COMMANDS: Final[tuple[Rule, ...]] = (
    _command("mysql mysqldump mysqladmin mysqlcheck mysqlimport mysqlshow mysqlsh mysqlpump mysqlbinlog mariadb mariadb-dump"
             " mariadb-admin mariadb-check mycli mydumper myloader",
             _F + "-p", r"""(?:"([^"\n]{1,200})"|'([^'\n]{1,200})'|([^\s"'|;<>-][^\s"'|;<>]{0,300}))"""),
    _command("redis-cli valkey-cli keydb-cli redis-benchmark iredis", _F + r"(?:-a|--pass)[ =]?"),
    _command("mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop", _F + "-p[ =]?"),
    _command("influx influxd influx_inspect", _F + r"(?:-password|-p|-t|--token|-passphrase)[ =]"),
    _command("curl http https xh curlie httpie hurl wget", _F + r"(?:-[a-zA-Z]{0,6}[uUa]|--user|--proxy-user|--auth)[ =]?", _LOGIN),
    _command("wrk siege hey vegeta lftp elasticdump ab", _F + r"(?:-A|-P|-u|-a|--user)[ =]?", _LOGIN),
    _command("curl", _F + r"(?:-E|--cert)[ =]?", r"""["']?[\w./~-]{1,200}:([^\s"']{1,200})"""),
    _command("ansible-vault", r"encrypt_string\s(?:-\S{1,40}\s(?:\S{1,60}\s)?){0,3}"),
    _command("mysqladmin", _F + r"password\s"),
    Rule("command line", (" login ",), rf"\slogin\s(?:[^|\n]{{0,200}}?\s)?-p[ =]?{VALUE}", any_value=False),
    Rule("command line", ("echo ", "printf "), rf"\b(?:echo|printf)\s(?:-\w{{1,3}}\s)?{VALUE}\s?\|\s?(?:base64|md5sum|sha\d{{1,3}}sum|openssl|xxd)\b", any_value=False),
    Rule("name", ("with password ", "and password ", "user "), r"""(?i)\b(?:with|and|using|avec(?:\sle)?)\s(?:the\s|a\s)?(?:temporary\s|new\s)?(?:password|token|key|secret|mot\sde\spasse)\s["'`]?([^\s"'`]{4,200}?)["'`]?[.,;]?\s*$""", any_value=False),
    _command("lftp", _F + "-u ?", r"""["']?[^\s,"']{1,100},([^\s"']{1,200})"""),
    _command("sshpass", _F + "-p ?"),
    _command("docker podman nerdctl buildah skopeo helm oras crane regctl", _F + r"login\s(?:[^|\n]{0,200}?\s)?-p[ =]?"),
    _command("oc cf ibmcloud az rancher argocd bosh fly concourse twine svn hg neo4j cypher-shell cqlsh vsql onetime clickhouse-client",
             _F + r"-[pP][ =]", any_value=False),
    _command("ipmitool sqlcmd bcp isql tsql osql zip unzip zipcloak mosquitto_pub mosquitto_sub", _F + "-P ?"),
    _command("7z 7za 7zr rar unrar", _F + "-p"),
    _command("ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ldapcompare ldapmodrdn", _F + "-[wsa] ?", any_value=False),
    _command("rabbitmqctl rabbitmqadmin", r"(?:add_user|change_password|authenticate_user)\s+\S{1,100}\s+"),
    _command("smbclient smbget rpcclient winexe wmic net", _F + r"(?:-U|--user)[ =]?", r"""["']?[^\s%"']{1,100}%([^\s"']{1,200})"""),
    _command("htpasswd", _F + r"-\w{0,6}b\w{0,6}\s+(?:\S{1,200}\s+)?\S{1,100}\s+",
             r"""(?:"([^"\n]{1,200})"|'([^'\n]{1,200})'|([^\s"'|;<>-]\S{0,200}))(?:\s*$|\s*[|;&>])"""),
    _command("openssl", _F + r"-(?:pass|passin|passout|passwd|k|K|hmac|macopt)\s+(?:pass:|hexkey:|key:)?"),
    _command("openssl", r"(?<=passwd )(?:-\w{1,12}\s+){0,3}", r"([^\s-]\S{2,200})\s*$"),
    _command("gpg gpg2 keytool jarsigner ssh-keygen apksigner borg restic rclone age",
             _F + r"-{1,2}(?:passphrase|storepass|keypass|srcstorepass|deststorepass|destkeypass|srckeypass|N|P|ks-pass|key-pass)[ =](?:pass:)?"),
    _command("snmpwalk snmpget snmpset snmpbulkwalk snmptable", _F + r"-[cAX]\s+"),
    _command("xfreerdp wlfreerdp rdesktop", _F + "(?:/p:|-p ?)"),
    _command("evil-winrm crackmapexec nxc hydra", _F + "-p ?"),
    _command("swaks sendemail msmtp s-nail", _F + r"(?:-ap|-xp|--auth-password|-au)[ =]"),
    _command("wpa_passphrase", r"(?<=wpa_passphrase )\S{1,64}\s"),
    _command("nmcli iwctl netsh", _F + r"(?:password|passphrase|wifi-sec\.psk|key=|psk)\s+"),
    _command("net", r"/user:\S{1,100}\s", r"""([^\s/"'*]\S{2,100})(?:\s|$)"""),
    _command("net", r"(?<=net )user\s[^\s/]{1,64}\s+", r"""([^\s/"'*]\S{2,100})(?:\s|$)"""),
    _command("ngrok cloudflared tailscale netbird", _F + r"(?:(?:add-)?authtoken|service\sinstall|--auth-?key|--token|--setup-key)[ =]+"),
    _command("vault bao", r"(?:(?<=vault )|(?<=bao ))(?:login|unwrap|token\s(?:lookup|renew|revoke)|operator\sunseal)\s(?:-\S{1,40}\s+){0,3}(?:token=)?", any_value=False),
    _command("aws", r"configure\sset\s\S{0,60}(?:secret|token|key_id)\S{0,20}\s+"),
    _command("npm pnpm yarn bun pip gem poetry composer bundle cargo conda sentry-cli",
             _F + r"(?:config|login|set|token)\s(?:[^|\n]{0,80}?\s)?\S{0,120}(?:_auth|_authToken|_password|token|password|pypi-token\.\S{1,40}|oauth\.\S{1,60})[ =]+"),
    _command("git", r"config\s(?:-\S{1,20}\s){0,3}\S{0,120}(?:token|password|secret|extraheader)\s+"),
    _command("poetry composer bundle", r"config\s(?:--\w{1,12}\s+){0,3}https?-basic\S{0,80}\s+\S{1,80}\s+"),
    _command("bundle", r"config\s(?:set\s+)?(?:--\w{1,12}\s+){0,3}\S{1,80}\s+[^\s:]{1,80}:"),
    _command("mc mcli", r"(?:alias\sset|config\shost\sadd)\s+\S{1,60}\s+\S{1,200}\s+(\S{1,100})\s+"),
    _command("fly flyctl doppler wrangler netlify vercel railway gh glab eas convox dokku clever heroku scalingo supabase infisical",
             r"(?:secrets?|env|config|variables?|env:set|config:set|env-set)\s(?:[^|\n]{0,40}?\s)?[A-Za-z]\w{0,60}(?:TOKEN|KEY|SECRET|PASS|PASSWORD|PWD|PW|DSN|AUTH|CRED|CREDENTIALS)\s+(?:(?:-b|--body|--value)[ =])?"),
    _command("gh aws az lpass op", _F + r"(?:-b|--body|--value|--secret-string)[ =]", any_value=False),
    _command("drush occ wp console artisan",
             r"(?:upwd|user:password|user-password|fos:user:change-password|fos:user:create\s\S{1,60})\s+\S{1,60}\s+(?:--password=)?"),
    _command("sqlplus impdp expdp rman sqlldr", "", r"""["']?(?<=[\s"'])[\w$#]{1,60}/([^\s@/"'][^\s@"']{0,200})(?:@|["']?(?:\s|$))"""),
    _command("usermod useradd adduser smbpasswd", _F + r"(?:-p|--password)[ =]?"),
    _command("nsupdate rndc dig", _F + r"-y\s+(?:[^\s:]{1,60}:){1,2}"),
    Rule("command line", ("echo ", "printf "), r"""(?:echo|printf)\s+(?:-\w{1,3}\s+){0,2}(?:'%s(?:\\n)?'\s+)?(?:"(?:[\w.-]{1,60}:)?([^"\n]{1,300}?)(?:\\n)?"|'(?:[\w.-]{1,60}:)?([^'\n]{1,300}?)(?:\\n)?'|(?:[a-z_][\w.-]{0,40}:)?([^\s"'|;<>$][^\s"'|;<>]{0,300}))\s*\|\s*(?:sudo\s+)?[^|\n]{0,200}?(?:passwd|-stdin\b|sudo\s+-S|-S\b|cryptsetup|-pass\s+stdin|--passphrase-fd|--with-token|/dev/stdin|\slogin\b|\sauth\b)"""),
    Rule("command line", ("<<<",), r"""<<<\s{0,4}["']?([^\s"'$]{6,300})["']?\s*$""", any_value=False),
    Rule("command line", ("bw unlock ",), r"\bbw\sunlock\s(?:--?\S{1,40}\s){0,3}([^\s-]\S{2,200})"),
    Rule("command line", ("::add-mask::", "::set-output "), r"::(?:add-mask|set-output\sname=\S{0,60}(?:secret|token|passw|key)\S{0,60})::(\S{4,2000})"),
    Rule("command line", ("<<<",), r"""(?:chpasswd|passwd\s+--stdin|sudo\s+-S|password-stdin|-S\b)[^|\n]{0,80}?<<<\s*["']?(?:[\w.-]{1,60}:)?([^\s"']{1,300})"""),
    Rule("command line", ("pass ", "auth plain", "auth login", "login "), r"^(?:[<>=*-]{0,3}\s*)?(?:[a-z]?\d{1,4}\s+)?(?:PASS\s+(\S{1,200})\s*$|AUTH\s+(?:PLAIN|LOGIN|CRAM-MD5|XOAUTH2)\s+(?!PLAIN|CRAM-|DIGEST-|XOAUTH)(\S{6,600})|LOGIN\s+\S{1,100}\s+(\S{1,200})\s*$)"),
    Rule("command line", ("auth plain ", "auth login "), r"\bAUTH\s(?:PLAIN|LOGIN)\s{1,4}([A-Za-z0-9+/]{12,600}={0,2})", any_value=False),
    _command("rclone", r"\s(?:pass|password2?|client_secret|bearer_token|secret_access_key|token)[ =]"),
    Rule("command line", ("send ", "send_user "), r"""\bsend(?:_user)?\s+(?:--\s+)?"([^"\n\\]{4,200})\\[rn]"\s*;?\s*$""", any_value=False),
    Rule("command line", ("password=", "password2="), r"\bpassword2?=([^\s,\"'&;|]{1,200})", any_value=False),
)  # fmt: skip

SQL: Final[tuple[Rule, ...]] = (
    Rule("sql", ("identified ",), rf"(?i)\bidentified\s{{1,8}}(?:with\s{{1,8}}[\w'\"]{{1,60}}\s{{1,8}})?(?:by|as)\s{{1,8}}(?:password\s{{1,8}}|values\s{{1,8}})?(?:{_SQL_STRING}|\"([^\"\n]{{1,300}})\"|(\w[^\s;,'\"]{{0,200}}))"),
    Rule("sql", ("password '", "password='", "password = '", "password ('", "password('", "password e'", "secret '", "passphrase '", "password n'", "password = n'", "password=n'", "password  '", "password to '"),
         rf"(?i)(?:password|passwd|pwd|secret(?!\s{{1,8}}'[a-z-]{{1,60}}'>)|passphrase)(?:\s{{1,8}}(?:(?:=|to)\s{{0,8}})?|\s{{0,8}}[=(]\s{{0,8}})\(?{_SQL_STRING}"),
    Rule("sql", ("crypt(", "crypt (", "hmac(", "encrypt(", "encryptbypassphrase("), rf"(?i)\b(?:crypt|hmac|encrypt|encryptbypassphrase|decryptbypassphrase)\s?\(\s?{_SQL_STRING}"),
    Rule("sql", ("pgp_", "aes_", "encrypt(", "decrypt(", "hmac("),
         rf"(?i)\b(?:pgp_(?:sym|pub)_(?:en|de)crypt(?:_bytea)?|aes_(?:en|de)crypt|(?:en|de)crypt(?:_iv)?|des_encrypt|hmac)\s?\((?:[^',)\n]{{0,200}}|'[^'\n]{{0,200}}')(?:::\w{{1,12}})?,\s{{0,4}}{_SQL_STRING}"),
    Rule("sql", ("sp_addlogin", "sp_password"), rf"(?i)\bsp_(?:addlogin|password)\s{{1,4}}(?:'[^'\n]{{0,100}}'|@\w{{1,30}}\s?=\s?'[^'\n]{{0,100}}'),\s{{0,4}}(?:@\w{{1,30}}\s?=\s?)?{_SQL_STRING}"),
    Rule("sql", ("attach ",), rf"(?i)\battach\s[^\n]{{1,300}}?\skey\s{{1,4}}{_SQL_STRING}"),
    Rule("sql", (" to '",), rf"(?i)\bset\s{{1,4}}(?:\w{{1,40}}\.)?\w{{0,40}}(?:secret|token|passw|key|pwd)\w{{0,40}}\s{{1,4}}to\s{{1,4}}{_SQL_STRING}", any_value=False),
    Rule("sql", ("value = '", "value='"), rf"(?i)\bvalue\s?=\s?{_SQL_STRING}\s{{1,4}}where\b[^\n]{{1,200}}?=\s?'[\w.-]{{0,60}}(?:secret|token|passw|key|pwd|mdp)[\w.-]{{0,60}}'", any_value=False),
    Rule("sql", ("connect ", "conn "), r"(?i)\bconn(?:ect)?\s{1,4}[\w$#]{1,60}/([^\s@/]{3,200})(?:@\S{0,200})?;?\s*$", any_value=False),
    Rule("sql", ("pragma key", "pragma rekey", "pragma hexkey"), r"""(?i)\bpragma\s{1,4}(?:hex)?(?:re)?key\s{0,4}=\s{0,4}(?:"x'([0-9a-f]{8,300})'"|x?'([^'\n]{1,300})'|"([^"\n]{1,300})")"""),
    Rule("sql", ("md5('", "sha1('", "sha2('", "sha256('", "encode('"),
         rf"(?i)\b\w{{0,40}}(?:pass|passwd|password|pwd|secret)\w{{0,20}}[\"`]?\s{{0,4}}=\s{{0,4}}\w{{2,20}}\s?\(\s?{_SQL_STRING}"),
    Rule("sql", ("set password", "password("), rf"(?i)\bpassword\s?\(\s?{_SQL_STRING}"),
    Rule("sql", ("set password",), rf"(?i)\bset\s{{1,8}}password\b[^'\n]{{0,20}}(?:'[^'\n]{{0,80}}'(?:@'[^'\n]{{0,80}}')?\s{{0,8}})?(?:=|to)\s{{0,8}}{_SQL_STRING}"),
)  # fmt: skip

_SETTERS: Final = [
    "set_password",
    "setpassword",
    "make_password",
    "change_password",
    "changepassword",
    "reset_password",
    "check_password",
    "valid_password?",
    "update_password",
    "withpassword",
    "hash_password",
    "hashpassword",
    "encrypt_password",
    "verify_password",
    "generate_password_hash",
    "check_password_hash",
    "password_hash",
    "password_verify",
    "password.create",
    "hash::make",
    "hash::check",
    "bcrypt",
    "bcrypt.hash",
    "bcrypt.hashpw",
    "bcrypt.hashsync",
    "hashpw",
    "checkpw",
    "set_secret",
    "setsecret",
    "set_token",
    "settoken",
    "set_api_key",
    "setapikey",
    "fernet",
    "messageencryptor.new",
    "messageverifier.new",
    "redis.auth",
    "argon2.hash",
    "sendpassword",
    "authenticate",
    "userpassword",
    "hash_pwd_salt",
    "change_pwd",
    "setpass",
    "set_pass",
]
CONSOLES: Final[tuple[Rule, ...]] = (
    Rule("console", tuple(f"{name}{opening}" for name in _SETTERS for opening in "( !"),
         rf"(?i)(?<![a-z])(?:{'|'.join(map(re.escape, _SETTERS))})!?\s?[( ]\s?{STRING}"),
    Rule("console", ("basic_auth", "basicauth", "digestauth", "digest_auth", "auth=(", "auth = (", ".login(", ".auth(", "authenticate("),
         rf"(?i)(?:\b(?:basic_?auth|http(?:basic|digest)auth|digest_auth|request_http_basic|authenticate)\s?[( ]|\bauth\s?=\s?\(|\.login\(|\.auth\()\s?['\"][^'\"\n]{{0,120}}['\"]\s?,\s?{STRING}"),
    Rule("console", ("jwt.",), rf"(?i)\bjwt\.(?:encode|decode|sign|verify)\([^'\"\n]{{0,200}}?,\s?{STRING}"),
    Rule("header", ("response=",), r"\bresponse=\"?([0-9a-f]{32,128})", certain=True),
    Rule("name", ("bundle_",), r"\bBUNDLE_[A-Z0-9_]{1,80}__[A-Z]{2,6}=[\"']?([^\s\"']{4,200})", any_value=False),
    Rule("console", ("create_user(", "create_superuser(", "createuser(", "add_user(", "adduser(", "changeuserpassword(", "change_user_password("),
         rf"(?i)\b(?:create_?(?:super)?user|add_?user|change_?user_?password)\(\s?['\"][^'\"\n]{{0,120}}['\"]\s?,\s?(?:['\"][^'\"\n]{{0,120}}@[^'\"\n]{{0,120}}['\"]\s?,\s?)?{STRING}"),
    Rule("console", ("auth ",), r"""(?:^|>\s?|["'])(?:AUTH|auth)\s+(?!(?:PLAIN|LOGIN|required|requisite|sufficient|optional|include|substack|CRAM-MD5)\b)(?:"?[\w.-]{1,60}"?\s+(?=["'\w]))?(?:"([^"\n]{1,300})"|'([^'\n]{1,300})'|([^\s"'(=:,]{1,300}))\s*["']?$"""),
    Rule("console", ("requirepass", "masterauth", "auth-pass"), rf"(?i)^(?!\s*#)[^\n]{{0,200}}?\b(?:requirepass|masterauth|auth-pass\s{{1,4}}\S{{1,60}})\"?\s{{1,8}}{VALUE}"),
    Rule("console", ("acl setuser",), r"(?i)\bacl\s{1,4}setuser\b[^\n]{0,200}?\s(?:>(\S{1,200})|#([0-9a-f]{64}))"),
    Rule("file", ("user ",), r"^\s*user\s{1,4}\S{1,60}\s(?:[^\n>]{0,200}\s)?>(\S{1,200})"),  # Redis' list of users
    Rule("header", ("'bearer'", '"bearer"', "'token'", "'basic'"), r"""(?i)[(,]\s{0,4}['\"](?:bearer|token|basic)['\"],\s{0,4}['\"]([\w.~+/=:-]{8,2000})['\"]""", any_value=False),
    Rule("console", ("hello 2 auth", "hello 3 auth", "auth2 ", "migrate "), rf"(?i)\b(?:hello\s[23]\sauth\s\S{{1,80}}|auth2\s\S{{1,80}}|migrate\s[^\n]{{1,120}}?\sauth)\s{VALUE}"),
)  # fmt: skip

FILES: Final[tuple[Rule, ...]] = (
    Rule("file", (":",), r"^(?:[^\s:/#]{1,200}|\*):(?:\d{1,5}|\*):[^\s:]{1,100}:[^\s:]{1,100}:((?:[^\s:\\]|\\.){1,300})\s*$"),  # .pgpass
    Rule("file", ("machine ", "password "), r"\bmachine\s{1,8}\S{1,200}\s{1,8}(?:login\s{1,8}\S{1,200}\s{1,8})?password\s{1,8}(\S{1,300})"),  # .netrc
    Rule("file", ("password ",), r"^\s*(?:default\s{1,8})?(?:login\s{1,8}\S{1,200}\s{1,8})?password\s{1,8}(\S{1,300})\s*$", any_value=False),
    Rule("file", ("rootpw", "bindpw", "auth_pass", "rpcpassword", "smtppassword", "authpass", "serverpassword", "snmp-server ", "rocommunity", "rwcommunity", "neighbor ", "enable secret", "enable password", "insecure-password"),
         r"(?i)^\s*(?:rootpw|bindpw|auth_pass|rpcpassword|SMTPPassword|AuthPass|ServerPassword|neighbor\s\S{1,60}\spassword|enable\s{1,4}(?:secret|password)(?:\s{1,4}\d)?|snmp-server\s{1,4}community|rocommunity|rwcommunity|user\s\S{1,60}\sinsecure-password)\s{1,8}" + VALUE),
    Rule("file", ("user ",), r"\buser\s{1,4}\S{1,60}\s{1,4}(?:insecure-)?password\s{1,4}" + VALUE, any_value=False),
    Rule("file", ("]:",), r"^\[[\w.-]{1,200}\](?::\d{1,5})?\s{1,8}[^\s:]{1,200}:(\S{3,200})\s*$"),  # Postfix's logins
    Rule("file", ("<d>", "<p>", "<q>", "<dp>", "<dq>", "<inverseq>"), r"<(?:D|P|Q|DP|DQ|InverseQ)>([A-Za-z0-9+/=]{16,4000})</"),
    Rule("file", (":::",), r"^[\w.$-]{1,60}:\d{1,8}:([0-9a-fA-F]{32}):([0-9a-fA-F]{32}):::"),  # NTLM
)  # fmt: skip

ADDRESSES: Final[tuple[Rule, ...]] = (
    Rule("address", ("hooks.slack",), r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Z0-9]{1,20}/[A-Z0-9]{1,20}/(?:\d{1,20}/)?([A-Za-z0-9]{8,60})", certain=True),
    Rule("address", ("discord.com/api/", "discordapp.com/api/"), r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{5,30}/([\w-]{20,120})", certain=True),
    Rule("address", ("office.com/webhook",), r"office\.com/webhook\w{0,3}/[\w@-]{10,200}/IncomingWebhook/([0-9a-f]{16,64}(?:/[\w-]{8,80}){0,2})", certain=True),
    Rule("address", ("hooks.zapier.com", "make.com/", "ifttt.com", "/hooks/"),
         r"(?:hooks\.zapier\.com/hooks/catch/\d{1,12}/|hook\.[\w.]{1,20}make\.com/|maker\.ifttt\.com/trigger/\S{1,60}/with/key/|/hooks/)([A-Za-z0-9]{6,60})\b", any_value=False),
    Rule("address", ("api.telegram.org",), r"api\.telegram\.org/(?:file/)?bot(\d{5,14}:[\w-]{20,60})", certain=True),
    Rule("address", ("://",), r"://([0-9A-Za-z_.~%+-]{16,300})@[\w.-]", any_value=False),
    Rule("address", ("@tcp(", "@unix(", "@tcp6("), r"(?<![^\s\"'=:])[\w.-]{1,80}:([^\s\"'/]{1,200})@(?:tcp6?|unix)\("),  # Go's MySQL driver
    Rule("address", ("@",), r"(?:^|[\s'\"=,(])[\w.-]{1,60}:([^\s:@/'\"]{6,200})@[\w.-]{1,200}:\d{2,5}\b", any_value=False),
    Rule("header", ("token '", 'token "', "password '", 'password "', "secret \""), r"""(?i)\b(?:token|password|secret)\s["'](?=[A-Za-z+/=_-]{0,400}[0-9])([A-Za-z0-9+/=_-]{16,400})["']""", any_value=False),
    Rule("address", ("jdbc:oracle",), r"jdbc:oracle:\w{1,8}:[^\s/]{1,60}/([^\s@]{1,200})@"),
    Rule("header", ("bearer ", "authorization", "apikey ", "api-key "), r"(?i)\b(?:bearer|authorization:?\s{0,4}(?:token|apikey|api-key|bot|key|negotiate|ntlm|genkey|signature)|apikey|api-key)\s{1,4}[\"']?([\w.~+/=:-]{12,2000}+)", any_value=False),
    Rule("header", ("basic ",), r"(?i)\bbasic\s{1,4}[\"']?([A-Za-z0-9+/]{8,1000}+={0,2})", any_value=False),
    Rule("known format", (":aa",), r"(?<![A-Za-z0-9])([0-9]{8,12}:AA[A-Za-z0-9_-]{30,50})", certain=True),  # Telegram bot
    Rule("known format", (".",), r"(?<![A-Za-z0-9_-])([MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{24,50})", certain=True),  # Discord bot
    Rule("known format", (".atlasv1.",), r"(?<![A-Za-z0-9])([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{40,80})", certain=True),  # Terraform
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (*COMMANDS, *SQL, *CONSOLES, *FILES, *ADDRESSES)

# What the needs of a rule don't say well enough for a block's scan: one short hint in place of a common letter.
_TOO_COMMON: Final = {
    ":": r"^[^\s:/#]+:(?:[0-9]+|\*):[^\s:]+:[^\s:]+:\S",
    ".": r"\b[MNO][A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]",
    "://": r"://[0-9A-Za-z_.~%+-]*@",
    "@": r":[^\s:@/'\"]+@[\w.-]+:[0-9][0-9]",
    "]:": r"^\[[\w.-]+\]:?[0-9]*\s+[^\s:]+:\S",
    "connect ": r"(?i:\bconn(?:ect)?)\s+[\w$#]+/\S",
    "conn ": r"(?i:\bconn)\s+[\w$#]+/\S",
    "attach ": r"(?i:\battach\s[^\n]*\skey)\s",
    "user ": r"user \S+ (?:insecure-)?password|^[ \t]*user \S+ [^\n>]*>\S",
    "pass ": r"^[^\w\n]*PASS \S",
    "login ": r"^[^\w\n]*(?:\w+ )?LOGIN \S",
    "auth ": r"(?:^|>\s?|[\"'])(?:AUTH|auth)\s",
    "password ": r"(?:^|\s)password\s+\S+\s*$",
    "git ": r"\bgit (?:-\S+ )*config ",
    "echo ": r"echo [^\n|]*\|",
    "printf ": r"printf [^\n|]*\|",
    "authorization": r"(?i:authorization)\W",
    ":aa": r"[0-9]:AA[A-Za-z0-9_-]",
}


def hint_of(rule: Rule) -> str:
    """RE2 that matches wherever one of the rule's needs stands."""
    return "|".join(
        _TOO_COMMON.get(need) or (r"\b" if need[0].isalnum() else "") + f"(?i:{re.escape(need)})" for need in rule.needs
    )
