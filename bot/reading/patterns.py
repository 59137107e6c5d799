"""The patterns of secrets, as tables: known formats, addresses, command lines, SQL, consoles, files.

A rule has two regular expressions. `hint` is RE2, joined with all the others into one automaton that runs over whole
blocks: it may be too generous, never too narrow. `pattern` is Python's, runs on the few lines where a hint was, and its
groups are the secrets. Every repeat in it is bounded or possessive, so no line costs more than linear time.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """One way a secret shows: `kind` is the class it is counted under, the groups of `pattern` are what to mask."""

    kind: str
    hint: str
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
    (r"SG\.[A-Za-z0-9_-]{10,64}\.", WORD, 16),
    (r"key-", r"[0-9a-f]", 32),  # Mailgun
    (r"(?:xkeysib|xsmtpsib)-", r"[A-Za-z0-9-]", 24),
    (r"md-", r"[A-Za-z0-9_-]", 22),  # Mandrill
    (r"mlsn\.", r"[0-9a-f]", 32),
    (r"re_[A-Za-z0-9]{6,12}_", r"[A-Za-z0-9]", 16),  # Resend
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
    (r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{1,40}\.)?", r"[A-Za-z0-9]", 24),
    (r"lin_(?:api|oauth|wh)_", r"[A-Za-z0-9]", 24),
    (r"(?:ntn|secret)_", r"[A-Za-z0-9]", 40),  # Notion
    (r"pat[A-Za-z0-9]{14}\.", r"[0-9a-f]", 32),  # Airtable
    (r"shp(?:at|ca|pa|ss|tka|ua)_", r"[A-Za-z0-9]", 24),
    (r"sq0(?:atp|csp|idp)-|EAAA[A-Za-z]", WORD, 20),
    (r"EAA[A-Z]", r"[A-Za-z0-9]", 60),  # Facebook
    (r"[0-9]{8,12}:AA", WORD, 30),  # Telegram bot
    (r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.", WORD, 24),  # Discord bot
    (r"(?:sk|tk)\.eyJ", r"[A-Za-z0-9_.-]", 24),  # Mapbox
    (r"v1\.0-", r"[0-9a-f-]", 60),  # Cloudflare origin CA
    (r"(?:cfut|cfat|cfk)_", r"[A-Za-z0-9]", 30),
    (r"nf[pcobu]_", r"[A-Za-z0-9]", 24),  # Netlify
    (r"vc[pcikar]_|vercel_blob_rw_", WORD, 20),
    (r"sb[ps]_|sb_secret_", r"[A-Za-z0-9_]", 24),  # Supabase
    (r"pscale_(?:tkn|oauth|pw)_", r"[\w=.-]", 24),
    (r"dapi", r"[0-9a-f]", 32),  # Databricks
    (r"dose", r"[0-9a-f]", 32),
    (r"[A-Za-z0-9]{14}\.atlasv1\.", WORD, 40),
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
    (r"ngrok_|2[A-Za-z0-9]{26}_", r"[A-Za-z0-9]", 18),
    (r"(?:sm|oy)_(?:pat|aat|sat)_", r"[A-Za-z0-9]", 16),
    (r"cio_|crates_io_|cio", r"[A-Za-z0-9]", 30),
    (r"CLOJARS_", r"[a-z0-9]", 40),
    (r"API-", r"[A-Z0-9]", 26),  # Octopus
    (r"p8e-", r"[A-Za-z0-9]", 32),
    (r"ico-", r"[A-Za-z0-9]", 32),
    (r"fio-u-", r"[\w=-]", 40),
    (r"DEFANGED_|hooks_", r"[A-Za-z0-9]", 40),
    (r"SK", r"[0-9a-f]", 32),  # Twilio API key
    (r"eyJ[A-Za-z0-9_-]{8,2000}\.", r"[A-Za-z0-9_.=-]", 8),  # JWT, JWE
    (r"ZXlK", r"[A-Za-z0-9+/]", 60),  # a JWT in base64
    (r"LS0tLS1CRUdJTiB(?:SU0EgUFJJVkFUR|FQyBQUklWQVRF|QUklWQVRFIEtF|PUEVOU1NIIFBSSVZB|FTkNSWVBURUQgUFJJ|EU0EgUFJJ|QR1AgUFJJ)",
     r"[A-Za-z0-9+/=]", 20),  # a PEM private key in base64
    (r"b3BlbnNzaC1rZXktdjE", r"[A-Za-z0-9+/=]", 20),  # an OpenSSH private key's first line
)  # fmt: skip

PASSWORD_HASHES: Final[tuple[str, ...]] = (
    r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{22,60}",
    r"\$argon2(?:id|i|d)\$[A-Za-z0-9=,.$+/-]{20,400}",
    r"\$(?:1|5|6|7|y|gy|apr1|md5|sha1|scrypt|P|H|S|bcrypt-sha256|pbkdf2(?:-sha(?:1|256|512))?|yescrypt)\$[./A-Za-z0-9$=,+-]{16,400}",
    r"\$[PHS]\$[./A-Za-z0-9]{20,80}",
    r"(?:pbkdf2_sha(?:1|256|512)|bcrypt(?:_sha256)?|argon2|scrypt|md5|sha1|pbkdf2)\$[A-Za-z0-9./+$=,_-]{16,400}",
    r"(?:pbkdf2:sha(?:1|256|512)|scrypt|sha1|sha256)(?::[0-9]{1,9}){0,4}\$[A-Za-z0-9./+$=-]{16,400}",
    r"SCRAM-SHA-(?:1|256|512)\$[0-9]{2,9}:[A-Za-z0-9+/=]{8,100}\$[A-Za-z0-9+/=:]{20,300}",
    r"\{(?:SSHA(?:256|384|512)?|SHA(?:256|384|512)?|SMD5|CRYPT|MD5|PBKDF2[A-Z0-9-]{0,12}|ARGON2|BCRYPT)\}[A-Za-z0-9+/=$.,-]{12,300}",
    r"grub\.pbkdf2\.sha512\.[0-9]{2,9}\.[0-9A-F.]{40,600}",
    r"pbkdf2(?:-|_)sha(?:256|512)[:$][0-9]{3,8}[:$][A-Za-z0-9./+$=:_-]{16,300}",
    r"\*[0-9A-F]{40}",  # mysql_native_password
)


def _known(prefix: str, tail: str, least: int) -> Rule:
    return Rule(
        "known format",
        f"(?:{prefix.replace('{8,2000}', '+')}){tail}{{{min(least, 10)}}}",
        rf"(?<![A-Za-z0-9])((?:{prefix}){tail}{{{least},}}+)",
        certain=True,
    )


# A value as shells, SQL and programs quote it. Three groups: the one that took part holds the value.
VALUE: Final = r"""(?:"((?:[^"\\\n]|\\.){1,400})"|'((?:[^'\\\n]|\\.){1,400})'|([^\s"'`|;<>()&]{1,400}))"""
STRING: Final = r"""[bNEurf@]?(?:\\?"((?:[^"\\\n]|\\[^"]){1,400})\\?"|\\?'((?:[^'\\\n]|''|\\.){1,400}?)\\?'(?!'))"""

_START: Final = r"(?:^|[\s;|&(/`$'\"=])"
# Login and password joined by a colon, as HTTP clients take them.
_LOGIN: Final = r"""["']?[^\s:"'$]{0,120}:([^\s"']{1,300})"""


def _command(programs: str, flag: str, value: str = VALUE, any_value: bool = True) -> Rule:
    """`flag` of one of `programs` takes a secret. Up to 400 characters may stand between them."""
    return Rule(
        "command line",
        rf"\b(?:{programs})\b[^\n]*[ \t]" + ("-" if flag.startswith((r"\s-", r"\s(?:-")) else ""),
        (rf"{_START}(?:{programs})\b[^|\n]{{0,400}}?{flag}{value}"),
        any_value,
    )


_MYSQL: Final = r"(?:mysql|mariadb)(?:dump|admin|check|import|show|sh|pump|binlog|-dump|-admin|-check|-import|-show)?|mycli|myloader|mydumper"
_SQL_STRING: Final = r"(?:N|E|U&)?'((?:[^'\n]|''){1,300})'"

COMMANDS: Final[tuple[Rule, ...]] = (
    _command(_MYSQL, r"\s-p", r"""(?:"([^"\n]{1,200})"|'([^'\n]{1,200})'|([^\s"'|;<>-][^\s"'|;<>]{0,300}))"""),
    _command(r"redis-cli|valkey-cli|keydb-cli|redis-benchmark|iredis", r"\s(?:-a|--pass|--askpass=)[ =]?"),
    _command(r"mongo|mongosh|mongodump|mongorestore|mongoexport|mongoimport|mongostat|mongotop", r"\s-p[ =]?"),
    _command(r"influx|influxd|influx_inspect", r"\s(?:-password|-p|-t|--token|-passphrase)[ =]"),
    _command(r"curl|http|https|xh|curlie|httpie|hurl", r"\s(?:-u|-U|-a|--user|--proxy-user|--auth|--ftp-account)[ =]?", _LOGIN),
    _command(r"ab|wrk|siege|hey|vegeta|lftp|elasticdump|es", r"\s(?:-A|-P|-u|-a|--user)[ =]?", _LOGIN),
    _command(r"sshpass|expect", r"\s-p ?"),
    _command(r"(?:docker|podman|nerdctl|buildah|skopeo|helm|oras|crane|regctl)[^|\n]{0,80}?\slogin", r"\s-p[ =]?"),
    _command(r"oc|cf|ibmcloud|az|rancher|argocd|bosh|fly|concourse|twine|svn|hg|neo4j|cypher-shell|cqlsh|mc|vsql|ipmitool|onetime",
             r"\s-(?:p|P)[ =]"),
    _command(r"ipmitool|sqlcmd|bcp|isql|tsql|osql|cassandra-cli|zip|unzip|zipcloak|tigervnc|mosquitto_(?:pub|sub|rr)", r"\s-P ?"),
    _command(r"7za?|7zr|rar|unrar|x", r"\s-p"),
    _command(r"ldap(?:search|modify|add|delete|whoami|passwd|compare|modrdn)", r"\s-[wsa] ?", any_value=False),
    _command(r"rabbitmqctl|rabbitmqadmin", r"\s(?:add_user|change_password|authenticate_user)\s+\S{1,100}\s+"),
    _command(r"smbclient|smbget|rpcclient|winexe|wmic|net|pth-\w{1,12}", r"\s(?:-U|--user)[ =]?", r"""["']?[^\s%"']{1,100}%([^\s"']{1,200})"""),
    _command(r"htpasswd", r"\s-\w{0,6}b\w{0,6}\s+(?:\S{1,200}\s+)?\S{1,100}\s+", r"""(?:"([^"\n]{1,200})"|'([^'\n]{1,200})'|([^\s"'|;<>-]\S{0,200}))(?:\s*$|\s*[|;&>])"""),
    _command(r"openssl", r"\s-(?:pass|passin|passout|passwd|k|K|hmac|macopt|kfile)\s+(?:pass:|hexkey:|key:)?"),
    _command(r"openssl\s{1,4}passwd", r"\s(?:-\w{1,12}\s+){0,3}", r"([^\s-]\S{2,200})\s*$"),
    _command(r"gpg2?|gpgconf|keytool|jarsigner|ssh-keygen|apksigner|borg|restic|rclone|zbarimg|age",
             r"\s-{1,2}(?:passphrase|storepass|keypass|srcstorepass|deststorepass|destkeypass|srckeypass|N|P|ks-pass|key-pass)[ =](?:pass:)?"),
    _command(r"sudo", r"\s-S\b[^|\n]{0,60}<<<\s*"),
    _command(r"snmp(?:walk|get|set|bulkwalk|table)", r"\s-[cAX]\s+"),
    _command(r"xfreerdp|wlfreerdp|rdesktop|freerdp", r"\s(?:/p:|-p ?)"),
    _command(r"evil-winrm|crackmapexec|nxc|hydra|impacket-\w{1,20}", r"\s-p ?"),
    _command(r"swaks|sendemail|msmtp|s-nail|mailx", r"\s(?:-ap|-xp|--auth-password|-au)[ =]"),
    _command(r"wpa_passphrase", r"\s\S{1,64}\s"),
    _command(r"nmcli|iwctl|iw|netsh", r"\s(?:password|passphrase|wifi-sec\.psk|key=|psk)\s+"),
    _command(r"net\s{1,4}user(?:add)?", r"\s[^\s/]{1,64}\s+", r"""([^\s/"'*]\S{2,100})(?:\s|$)"""),
    _command(r"(?:ngrok|cloudflared|tailscale|netbird|zerotier-cli|teleport|tsh)", r"\s(?:(?:config\s+)?(?:add-)?authtoken|service install|--auth-?key|--token|--setup-key)[ =]+"),
    _command(r"(?:vault|bao)\s{1,4}(?:login|unwrap|token\s{1,4}(?:lookup|renew|revoke)|operator\s{1,4}unseal)", r"\s(?:-\S{1,40}\s+){0,3}(?:token=)?", any_value=False),
    _command(r"aws\s{1,4}configure\s{1,4}set", r"\s\S{0,60}(?:secret|token|key_id)\S{0,20}\s+"),
    _command(r"(?:npm|pnpm|yarn|bun|pip|git|gem|poetry|composer|bundle|cargo|conda|sentry-cli|ng)\b[^|\n]{0,40}?\s(?:config|login|set|token)",
             r"\s\S{0,120}(?:_auth|_authToken|_password|token|password|pypi-token\.\S{1,40}|github-oauth\.\S{1,60}|oauth\.\S{1,60})[ =]+"),
    _command(r"(?:poetry|composer|bundle)\b[^|\n]{0,30}?\sconfig", r"\s(?:--\w{1,12}\s+){0,3}(?:http-basic\.\S{1,80}|https?-basic\S{0,80})\s+\S{1,80}\s+"),
    _command(r"bundle\b[^|\n]{0,30}?\sconfig", r"\s(?:set\s+)?(?:--\w{1,12}\s+){0,3}\S{1,80}\s+[^\s:]{1,80}:"),
    _command(r"(?:mc|mcli)\s{1,4}(?:alias\s{1,4}set|config\s{1,4}host\s{1,4}add)", r"\s+\S{1,60}\s+\S{1,200}\s+\S{1,100}\s+"),
    _command(r"(?:fly|flyctl|doppler|wrangler|netlify|vercel|railway|render|gh|glab|eas|convox|dokku|clever|heroku|scalingo|supabase|infisical|envkey)"
             r"\b[^|\n]{0,40}?\s(?:secrets?|env|config|variables?|env:set|config:set)\b[^|\n]{0,20}?\s(?:set|add|create)",
             r"\s[A-Za-z]\w{0,60}(?:TOKEN|KEY|SECRET|PASS|PASSWORD|PWD|PW|DSN|AUTH|CRED|CREDENTIALS)\s+(?:-b|--body|--value)?[ =]?"),
    _command(r"gh\s{1,4}secret\s{1,4}set|aws\s{1,4}(?:ssm\s{1,4}put-parameter|secretsmanager\s{1,4}\S{1,40})|az\s{1,4}keyvault\s{1,4}secret\s{1,4}set|lpass|op\s{1,4}item",
             r"\s(?:-b|--body|--value|--secret-string)[ =]"),
    _command(r"rails\s{1,4}\S{1,20}|drush|occ|wp|bin/console|artisan|spree|gitlab-rake|manage\.py|flask|mix|rake",
             r"\s(?:upwd|user:password|sql:user|fos:user:change-password|user:reset-password|fos:user:create\s+\S{1,60}|user-password)\s+\S{1,60}\s+"),
    _command(r"sqlplus|impdp|expdp|rman|sqlldr", r"\s", r"""["']?[\w$#]{1,60}/([^\s@/"'][^\s@"']{0,200})(?:@|["']?(?:\s|$))"""),
    _command(r"usermod|useradd|adduser|smbpasswd|pure-pw", r"\s(?:-p|--password)[ =]?"),
    _command(r"(?:user|pass)mgr|wg|cryptsetup|nsupdate|rndc|dig", r"\s-y\s+(?:\S{1,60}:){1,2}"),
    Rule("command line", r"(?i:echo|printf|<<<)[^\n]*(?:passwd|chpasswd|--[\w-]*stdin|-S\b|cryptsetup|openssl|gpg|login|auth)",
         (r"""(?:echo|printf)\s+(?:-\w{1,3}\s+){0,2}(?:'%s(?:\\n)?'\s+)?(?:"(?:[\w.-]{1,60}:)?([^"\n]{1,300}?)(?:\\n)?"|'(?:[\w.-]{1,60}:)?([^'\n]{1,300}?)(?:\\n)?'|(?:[a-z_][\w.-]{0,40}:)?([^\s"'|;<>$][^\s"'|;<>]{0,300}))\s*\|\s*(?:sudo\s+)?[^|\n]{0,200}?(?:passwd|chpasswd|-stdin\b|--stdin|sudo\s+-S|-S\b|cryptsetup|-pass\s+stdin|--passphrase-fd|--with-token|password-stdin|/dev/stdin|\slogin\b|\sauth\b)""")),
    Rule("command line", r"chpasswd|--stdin|-S\s", (r"""(?:chpasswd|passwd\s+--stdin|sudo\s+-S|password-stdin)[^|\n]{0,80}?<<<\s*["']?(?:[\w.-]{1,60}:)?([^\s"']{1,300})""")),
    Rule("command line", r"(?:PASS|pass)\s+\S|(?:AUTH|auth)\s+(?:PLAIN|LOGIN)|(?:LOGIN|login)\s", (r"^(?:[<>=*-]{0,3}\s*)?(?:[a-z]?\d{1,4}\s+)?(?:PASS\s+(\S{1,200})\s*$|AUTH\s+(?:PLAIN|LOGIN|CRAM-MD5|XOAUTH2)\s+(\S{6,600})|LOGIN\s+\S{1,100}\s+(\S{1,200})\s*$)")),
    Rule("command line", r"(?i:send)\s", (r"""\bsend(?:_user)?\s+(?:--\s+)?"([^"\n\\]{4,200})\\[rn]"\s*;?\s*$"""), any_value=False),
    Rule("command line", r"-o\s|username=|user=", (r"\bpassword2?=([^\s,]{1,200})")),
)  # fmt: skip

SQL: Final[tuple[Rule, ...]] = (
    Rule("sql", r"(?i:identified\s+(?:with\s+\S+\s+)?(?:by|as)\s+)",
         (rf"(?i)\bidentified\s{{1,8}}(?:with\s{{1,8}}[\w'\"]{{1,60}}\s{{1,8}})?(?:by|as)\s{{1,8}}(?:password\s{{1,8}}|values\s{{1,8}})?(?:{_SQL_STRING}|\"([^\"\n]{{1,300}})\"|(\w[^\s;,'\"]{{0,200}}))")),
    Rule("sql", r"(?i:passw(?:or)?d|\bpwd|master_password|source_password|secret|passphrase)\b[\s\w=(]*'",
         (rf"(?i)(?:password|passwd|pwd|secret|passphrase)\s{{0,8}}(?:=\s{{0,8}})?(?:(?:password|old_password|sha2|md5|crypt|encrypt)\s{{0,4}})?\(?\s{{0,8}}{_SQL_STRING}")),
    Rule("sql", r"(?i:crypt|pgp_\w+|aes_\w+|hmac|digest|encode|encryptbypassphrase)\s*\(",
         (rf"(?i)\b(?:crypt|hmac|encrypt|encryptbypassphrase|decryptbypassphrase)\s?\(\s?{_SQL_STRING}")),
    Rule("sql", r"(?i:pgp_\w+|aes_\w+|encrypt|decrypt|hmac)\s*\([^)\n]*,",
         (rf"(?i)\b(?:pgp_(?:sym|pub)_(?:en|de)crypt(?:_bytea)?|aes_(?:en|de)crypt|(?:en|de)crypt(?:_iv)?|des_encrypt|hmac)\s?\((?:[^',)\n]{{0,200}}|'[^'\n]{{0,200}}')(?:::\w{{1,12}})?,\s{{0,4}}{_SQL_STRING}")),
    Rule("sql", r"(?i:pragma\s+(?:re)?key|rekey|\.key)", (r"""(?i)\bpragma\s{1,4}(?:hex)?(?:re)?key\s{0,4}=\s{0,4}(?:x?'([^'\n]{1,300})'|"([^"\n]{1,300})")""")),
    Rule("sql", r"(?i:set\s+password)", (rf"(?i)\bset\s{{1,8}}password\b[^'\n]{{0,20}}(?:'[^'\n]{{0,80}}'(?:@'[^'\n]{{0,80}}')?\s{{0,8}}(?:=|to)\s{{0,8}})?(?:password\s?\(\s?)?{_SQL_STRING}")),
)  # fmt: skip

_SETTERS: Final = (
    r"set_?password|make_?password|change_?password|reset_?password|check_?password|update_?password|valid_?password\?|"
    r"authenticate|with_?password|hash_?password|encrypt_?password|verify_?password|generate_password_hash|"
    r"check_password_hash|password_hash|set_?secret|set_?token|set_?api_?key|hash::make|hash::check|bcrypt|"
    r"bcrypt\.hash(?:pw|sync)?|password\.create|sendpassword|password_verify|setpass|fernet|messageencryptor\.new|"
    r"messageverifier\.new|redis\.auth|\.auth|initialize_api_key|createhmac\([^,\n]{1,20},|checkpw|argon2\.hash|hashpw"
)
CONSOLES: Final[tuple[Rule, ...]] = (
    Rule("console", rf"(?i:{_SETTERS.replace('|.auth|', '|[.]auth|')})!?\s*[( ]", (rf"(?i)\b(?:{_SETTERS.replace(chr(124) + chr(92) + '.auth', '')})!?\s?[( ]\s?{STRING}")),
    Rule("console", r"(?i:create_?(?:super)?user|basic_?auth|httpbasicauth|httpdigestauth|auth=\(|\.login|\.auth\(|createuser|add_?user|authenticate|digest_auth|request_http_basic)",
         (rf"(?i)(?:\b(?:basic_?auth|http(?:basic|digest)auth|digest_auth|request_http_basic|authenticate)\s?[( ]|\bauth\s?=\s?\(|\.login\(|\.auth\()\s?['\"][^'\"\n]{{0,120}}['\"]\s?,\s?{STRING}")),
    Rule("console", r"(?i:create_?(?:super)?user|add_?user)\s*\(",
         (rf"(?i)\b(?:create_?(?:super)?user|add_?user)\(\s?['\"][^'\"\n]{{0,120}}['\"]\s?,\s?(?:['\"][^'\"\n]{{0,120}}@[^'\"\n]{{0,120}}['\"]\s?,\s?)?{STRING}")),
    Rule("console", r"(?:AUTH|auth)\s+\S", (r"""(?:^|>\s?|\d\]>\s?|["'])(?:AUTH|auth)\s+(?:"?[\w.-]{1,60}"?\s+(?=["'\w]))?(?:"([^"\n]{1,300})"|'([^'\n]{1,300})'|([^\s"'(=:,]{1,300}))\s*["']?$""")),
    Rule("console", r"(?i:requirepass|masterauth|sentinel\s+auth-pass)", (rf"(?i)\b(?:requirepass|masterauth|masteruser\s\S{{1,60}}\smasterauth|auth-pass\s{{1,4}}\S{{1,60}})\"?\s{{1,8}}{VALUE}")),
    Rule("console", r"(?i:acl\s+setuser)", (r"(?i)\bacl\s{1,4}setuser\b[^\n]{0,200}?\s>(\S{1,200})")),
    Rule("console", r"(?i:acl\s+setuser)", (r"(?i)\bacl\s{1,4}setuser\b[^\n]{0,200}?\s#([0-9a-f]{64})")),
    Rule("console", r"(?i:hello\s+[23]\s+auth|migrate\s[^\n]*auth)", (rf"(?i)\b(?:hello\s[23]\sauth\s\S{{1,80}}|auth2\s\S{{1,80}}|migrate\s[^\n]{{1,120}}?\sauth)\s{VALUE}")),
)  # fmt: skip

FILES: Final[tuple[Rule, ...]] = (
    Rule("file", r"^[^\s:#]+:(?:[0-9]+|\*):[^\s:]+:[^\s:]+:\S", (r"^(?:[^\s:/#]{1,200}|\*):(?:\d{1,5}|\*):[^\s:]{1,100}:[^\s:]{1,100}:(\S{1,300})\s*$")),  # .pgpass
    Rule("file", r"(?:machine|login|default|password|account)\s+\S+\s*", (r"^\s*(?:machine\s{1,8}\S{1,200}\s{1,8}|default\s{1,8})?(?:login\s{1,8}\S{1,200}\s{1,8})?(?:account\s{1,8}\S{1,100}\s{1,8})?password\s{1,8}(\S{1,300})(?:\s{1,8}account\s\S{1,100})?\s*$"), any_value=False),  # .netrc
    Rule("file", r"machine\s+\S+\s+login\s", (r"\bmachine\s{1,8}\S{1,200}\s{1,8}login\s{1,8}\S{1,200}\s{1,8}password\s{1,8}(\S{1,300})")),
    Rule("file", r"^\s*(?:requirepass|masterauth|rootpw|olcRootPW|bindpw|auth_pass|rpcpassword|psk|secret|tls-crypt|userlist|password|passwd|wpa_passphrase|SMTPPassword|AuthPass|relayhost_pass|neighbor\s\S+\spassword|ServerPassword|enable\s+(?:secret|password)|snmp-server\s+community|rocommunity|rwcommunity|insecure-password)\s+\S",
         (r"(?i)^\s*(?:requirepass|masterauth|rootpw|bindpw|auth_pass|rpcpassword|psk|wpa_passphrase|SMTPPassword|AuthPass|neighbor\s\S{1,60}\spassword|ServerPassword|enable\s{1,4}(?:secret|password)(?:\s{1,4}\d)?|snmp-server\s{1,4}community|rocommunity|rwcommunity|insecure-password)\s{1,8}" + VALUE)),
    Rule("file", r"user\s+\S+\s+(?:insecure-)?password\s+\S", (r"\buser\s{1,4}\S{1,60}\s{1,4}(?:insecure-)?password\s{1,4}" + VALUE)),
    Rule("file", r"<(?:D|P|Q|DP|DQ|InverseQ)>", (r"<(?:D|P|Q|DP|DQ|InverseQ)>([A-Za-z0-9+/=]{16,4000})</")),
    Rule("file", r"^[0-9a-fA-F]{32}$|^[a-z0-9_.-]+:[0-9]+:[0-9a-fA-F]{32}:", (r"^[\w.-]{1,60}:\d{1,8}:([0-9a-fA-F]{32}):([0-9a-fA-F]{32}):::")),  # smbpasswd, NTLM
)  # fmt: skip

ADDRESSES: Final[tuple[Rule, ...]] = (
    Rule("address", r"hooks\.slack(?:-gov)?\.com/", (r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Z0-9]{1,20}/[A-Z0-9]{1,20}/(?:\d{1,20}/)?([A-Za-z0-9]{8,60})")),
    Rule("address", r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/", (r"discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{5,30}/([\w-]{20,120})")),
    Rule("address", r"webhook\.office\.com|outlook\.office\.com/webhook|logic\.azure\.com", (r"office\.com/webhook\w{0,3}/[\w@-]{10,200}/IncomingWebhook/([0-9a-f]{16,64}(?:/[\w-]{8,80}){0,2})")),
    Rule("address", r"hooks\.zapier\.com|hook\.\w+\.make\.com|maker\.ifttt\.com|chat\.googleapis\.com|hooks\.\w+\.\w+/|/hooks/", (r"(?:hooks\.zapier\.com/hooks/catch/\d{1,12}/|hook\.[\w.]{1,20}make\.com/|maker\.ifttt\.com/trigger/\S{1,60}/with/key/|/hooks/)([A-Za-z0-9]{6,60})\b"), any_value=False),
    Rule("address", r"api\.telegram\.org/(?:file/)?bot", (r"api\.telegram\.org/(?:file/)?bot(\d{5,14}:[\w-]{20,60})")),
    Rule("address", r"://[0-9A-Za-z_.~%+-]{16,}@", (r"://([0-9A-Za-z_.~%+-]{16,300})@[\w.-]"), any_value=False),
    Rule("address", r"jdbc:oracle:thin:\S+/\S+@", (r"jdbc:oracle:\w{1,8}:[^\s/]{1,60}/([^\s@]{1,200})@")),
    Rule("header", r"(?i:\b(?:bearer|apikey|api-key|authorization:?\s*token|authorization:?\s*\w+)\s+[\"']?[\w.~+/=-]{12})", (r"(?i)\b(?:bearer|authorization:?\s{0,4}(?:token|apikey|api-key|bot|key|negotiate|ntlm|genkey|signature)|apikey|api-key)\s{1,4}[\"']?([\w.~+/=:-]{12,2000}+)"), any_value=False),
    Rule("header", r"(?i:\bbasic\s+[A-Za-z0-9+/]{8})", (r"(?i)\bbasic\s{1,4}[\"']?([A-Za-z0-9+/]{8,1000}+={0,2})"), any_value=False),
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (
    *(_known(*known) for known in KNOWN_FORMATS),
    *(Rule("password hash", hint, rf"(?<![A-Za-z0-9])({hint})", certain=True) for hint in PASSWORD_HASHES),
    *COMMANDS,
    *SQL,
    *CONSOLES,
    *FILES,
    *ADDRESSES,
)
