/* SPDX-License-Identifier: ISC */
#include "companion/templates.h"

/* clang-format off */

/* --- what several share --- */

#define POLICY_HEAD(about) \
	"# " about "\n" \
	"# root:root 0644, and no directory above it that others can write: runas-app refuses anything else.\n" \
	"\n" \
	"runas-app = 1\n" \
	"\n" \
	"# Who may start it, besides root.\n" \
	"@ALLOW@\n" \
	"\n" \
	"user  = @USER@\n" \
	"group = @USER@\n" \
	"# The complete list. The web server's user joins the group @USER@ to read static files, not the other way round.\n" \
	"groups = @USER@\n" \
	"\n" \
	"# New files 0640, new directories 0750.\n" \
	"umask = 0027\n" \
	"\n" \
	"directory = @DIR@/current\n" \
	"# A release that is not current yet: cd @DIR@/releases/N && runas-app @APP@ -- ...\n" \
	"directory_below = @DIR@/releases\n" \
	"home = @DIR@\n"

#define POLICY_TAIL \
	"# Nothing else is writable, whatever the permissions say: no code, no /tmp. /run/@APP@ is for the socket and the pid.\n" \
	"# `runas-policy learn @APP@ -- COMMAND` shows what your app needs on top.\n" \
	"write = @DIR@/log\n" \
	"write = /run/@APP@\n" \
	"tmp   = @DIR@/tmp\n" \
	"\n" \
	"# Secrets: NAME=value lines, root:root 0600.\n" \
	"# env_file = /etc/runas-app/@APP@.env\n" \
	"\n" \
	"syscalls = @app-server\n" \
	"\n" \
	"limit_nofile = 8192\n" \
	"# All processes and threads of the user together: what a runaway loop can fork.\n" \
	"limit_nproc  = 2048\n"

static const char setup[] =
	"# Once, as root, when the other files are where their first lines say, but for the policy, which comes last: it is\n"
	"# refused as long as its user is missing. The code, and `current`, belong to who deploys, so that the app cannot\n"
	"# change them.\n"
	"adduser --system --group --no-create-home --home @DIR@ --shell /usr/sbin/nologin @USER@\n"
	"install -d -m 0755 -o @CALLER@ -g root @DIR@\n"
	"install -d -m 2750 -o @CALLER@ -g @USER@ @DIR@/releases @DIR@/releases/first\n"
	"ln -s releases/first @DIR@/current && chown -h @CALLER@:@USER@ @DIR@/current\n"
	"install -d -m 0750 -o @USER@ -g @USER@ @DIR@/log @DIR@/tmp\n"
	"# nginx reads static files as a member of the app's group; it must be restarted to notice.\n"
	"adduser www-data @USER@\n"
	"# /run is empty after a boot; the lines for tmpfiles.d make the socket's directory again.\n"
	"systemd-tmpfiles --create /etc/tmpfiles.d/@APP@.conf\n"
	"# Puts the policy in its place, and also says which of the programs that it names are missing.\n"
	"runas-policy install @APP@.conf\n";

static const char tmpfiles[] =
	"# Servers make sockets that everybody may connect to (gunicorn, puma: 0777): this directory keeps the others out.\n"
	"d /run/@APP@ 2750 @USER@ @WEB@ -\n";

#define SUPERVISOR(command, stop) \
	"# No user=, umask= or environment=: the policy says all of it. The process keeps its pid, so stopsignal reaches it.\n" \
	"# A server that cannot have its socket tries for some seconds: what ends before startsecs counts as not started, and\n" \
	"# after three of those supervisor gives up. Workers finish what they do before stopwaitsecs, or are killed.\n" \
	"[program:@APP@]\n" \
	"command=@RUNAS@ @APP@ -- " command "\n" \
	"startsecs=8\n" \
	"startretries=3\n" \
	"stopwaitsecs=35\n" \
	"autorestart=true\n" \
	"stopsignal=" stop "\n" \
	"redirect_stderr=true\n"

#define SERVICE(command, stop) \
	"# No User= or UMask=: the policy says it. 125, 126 and 127 are refusals, which a restart does not mend.\n" \
	"[Unit]\n" \
	"Description=@APP@\n" \
	"After=network.target\n" \
	"\n" \
	"[Service]\n" \
	"Type=exec\n" \
	"ExecStart=@RUNAS@ @APP@ -- " command "\n" \
	"KillMode=mixed\n" \
	"KillSignal=SIG" stop "\n" \
	"Restart=always\n" \
	"RestartPreventExitStatus=125 126 127\n" \
	"\n" \
	"[Install]\n" \
	"WantedBy=multi-user.target\n"

static const char nginx_proxy[] =
	"server {\n"
	"	listen 80;\n"
	"	server_name @APP@.example.org;\n"
	"	root @DIR@/current/public;\n"
	"\n"
	"	location / {\n"
	"		try_files $uri @app;\n"
	"	}\n"
	"	location @app {\n"
	"		proxy_pass http://unix:/run/@APP@/@APP@.sock;\n"
	"		proxy_set_header Host $host;\n"
	"		proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
	"		proxy_set_header X-Forwarded-Proto $scheme;\n"
	"	}\n"
	"}\n";

#define LOGROTATE(how) \
	"@DIR@/log/*.log {\n" \
	"	# As the app, in its own directory: no log is ever root's.\n" \
	"	su @USER@ @USER@\n" \
	"	daily\n" \
	"	rotate 14\n" \
	"	compress\n" \
	"	delaycompress\n" \
	"	missingok\n" \
	"	notifempty\n" \
	how \
	"}\n"

/* For servers that open their logs again; each line of theirs ends up in the new file. */
#define REOPEN(signal, pid) \
	"	# What the policy's umask makes, too.\n" \
	"	create 0640 @USER@ @USER@\n" \
	"	sharedscripts\n" \
	"	postrotate\n" \
	"		/usr/bin/kill -" signal " $(cat /run/@APP@/" pid ")\n" \
	"	endscript\n"

/* For those that do not. */
#define COPY \
	"	# Rails keeps its log open until it ends: the file is copied and emptied.\n" \
	"	copytruncate\n"

#define CRON(command) \
	"# The same policy as for the web: what one writes, the other can read. Absolute paths: cron's PATH is /usr/bin:/bin.\n" \
	"17 3 * * * root @RUNAS@ @APP@ -- " command "\n"

#define COMMON_FILES(supervisor, service, nginx, logrotate, cron) \
	{"@APP@.setup", "(once, by hand)", setup}, \
	{"@APP@.tmpfiles", "/etc/tmpfiles.d/@APP@.conf", tmpfiles}, \
	{"@APP@.supervisor", "/etc/supervisor/conf.d/@APP@.conf (or the unit below)", supervisor}, \
	{"@APP@.service", "/etc/systemd/system/@APP@.service", service}, \
	{"@APP@.nginx", "/etc/nginx/sites-available/@APP@", nginx}, \
	{"@APP@.logrotate", "/etc/logrotate.d/@APP@", logrotate}, \
	{"@APP@.cron", "/etc/cron.d/@APP@", cron}

/* --- Passenger --- */

#define PASSENGER "/usr/bin/passenger start --socket /run/@APP@/@APP@.sock --log-file @DIR@/log/passenger.log --pid-file /run/@APP@/passenger.pid"

static const struct template_file passenger[] = {
	{"@APP@.conf", "/etc/runas-app/@APP@.conf",
	POLICY_HEAD("A Rails or Rack app under Passenger Standalone, behind nginx.")
	"path = /usr/local/bin:/usr/bin:/bin\n"
	"\n"
	"env = RAILS_ENV=production\n"
	"env = RACK_ENV=production\n"
	"# The builtin engine needs no compiling; nothing contacts other hosts.\n"
	"env = PASSENGER_ENGINE=builtin\n"
	"env = PASSENGER_DISABLE_SECURITY_UPDATE_CHECK=true\n"
	"env = PASSENGER_DISABLE_ANONYMOUS_TELEMETRY=true\n"
	"\n"
	"# What may be run, word by word; {int} {word} {a|b} {path:/dir} stand for part of one argument, a last * for any more.\n"
	"command = " PASSENGER "\n"
	"command = /usr/bin/passenger {status|stop} --pid-file /run/@APP@/passenger.pid\n"
	"command = /usr/bin/passenger-config restart-app {path:@DIR@}\n"
	"command = /usr/bin/passenger-config reopen-logs\n"
	"command = /usr/bin/bundle exec rake {db:migrate|assets:precompile|tmp:cache:clear}\n"
	"\n"
	POLICY_TAIL},
	COMMON_FILES(SUPERVISOR(PASSENGER, "TERM"), SERVICE(PASSENGER, "TERM"), nginx_proxy,
		LOGROTATE(COPY),
		CRON("/usr/bin/bundle exec rake tmp:cache:clear")),
	{0},
};

/* --- gunicorn --- */

#define GUNICORN(workers) "/usr/bin/gunicorn wsgi:application --bind unix:/run/@APP@/@APP@.sock --pid /run/@APP@/gunicorn.pid --error-logfile @DIR@/log/error.log --workers " workers

static const struct template_file gunicorn[] = {
	{"@APP@.conf", "/etc/runas-app/@APP@.conf",
	POLICY_HEAD("A Django or other WSGI app under gunicorn, behind nginx.")
	"# With a virtual environment: @DIR@/venv/bin first, and its gunicorn and python in the commands below.\n"
	"path = /usr/local/bin:/usr/bin:/bin\n"
	"\n"
	"env = PYTHONUNBUFFERED=1\n"
	"# env = DJANGO_SETTINGS_MODULE=@APP@.settings\n"
	"\n"
	"# What may be run, word by word; {int} {word} {a|b} {path:/dir} stand for part of one argument, a last * for any more.\n"
	"command = " GUNICORN("{int}") "\n"
	"command = /usr/bin/python3 manage.py {migrate|collectstatic} --noinput\n"
	"command = /usr/bin/python3 manage.py clearsessions\n"
	"# HUP reloads the code, USR1 opens the logs again.\n"
	"command = /usr/bin/kill {-HUP|-TERM|-USR1} {int}\n"
	"\n"
	POLICY_TAIL},
	COMMON_FILES(SUPERVISOR(GUNICORN("4"), "TERM"), SERVICE(GUNICORN("4"), "TERM"), nginx_proxy,
		LOGROTATE(REOPEN("USR1", "gunicorn.pid")),
		CRON("/usr/bin/python3 manage.py clearsessions")),
	{0},
};

/* --- puma --- */

#define PUMA "/usr/bin/puma --environment production --bind unix:///run/@APP@/@APP@.sock --pidfile /run/@APP@/puma.pid --redirect-stdout @DIR@/log/puma.log --redirect-stderr @DIR@/log/puma.log --redirect-append"

static const struct template_file puma[] = {
	{"@APP@.conf", "/etc/runas-app/@APP@.conf",
	POLICY_HEAD("A Rails or Rack app under puma, behind nginx.")
	"path = /usr/local/bin:/usr/bin:/bin\n"
	"\n"
	"env = RAILS_ENV=production\n"
	"env = RACK_ENV=production\n"
	"\n"
	"# What may be run, word by word; {int} {word} {a|b} {path:/dir} stand for part of one argument, a last * for any more.\n"
	"# With puma in the Gemfile: /usr/bin/bundle exec puma ...\n"
	"command = " PUMA "\n"
	"command = /usr/bin/bundle exec rake {db:migrate|assets:precompile|tmp:cache:clear}\n"
	"# USR2 restarts it.\n"
	"command = /usr/bin/kill {-TERM|-USR2} {int}\n"
	"\n"
	POLICY_TAIL},
	COMMON_FILES(SUPERVISOR(PUMA, "TERM"), SERVICE(PUMA, "TERM"), nginx_proxy,
		LOGROTATE(COPY),
		CRON("/usr/bin/bundle exec rake tmp:cache:clear")),
	{0},
};

/* --- PHP-FPM --- */

#define FPM "/usr/sbin/php-fpm8.2 --nodaemonize --fpm-config /etc/php/@APP@-fpm.conf -d opcache.lockfile_path=@DIR@/tmp"

static const struct template_file php_fpm[] = {
	{"@APP@.conf", "/etc/runas-app/@APP@.conf",
	POLICY_HEAD("A PHP app: the same user, groups and umask for PHP-FPM, the command line and cron.")
	"# FPM reloads (USR2) by looking for its own name here.\n"
	"path = /usr/local/bin:/usr/bin:/bin:/usr/sbin\n"
	"\n"
	"env = APP_ENV=production\n"
	"\n"
	"# What may be run, word by word; {int} {word} {a|b} {path:/dir} stand for part of one argument, a last * for any more.\n"
	"# opcache makes a lock file in /tmp, whatever TMPDIR says, unless it is told otherwise.\n"
	"command = " FPM "\n"
	"command = /usr/bin/kill {-QUIT|-USR1|-USR2} {int}\n"
	"command = /usr/bin/php artisan schedule:run\n"
	"command = /usr/bin/php artisan {migrate|cache:clear|config:cache} --force\n"
	"\n"
	"# Laravel writes below storage: a directory of its own, to which each release has a link.\n"
	"# write = @DIR@/storage\n"
	"\n"
	POLICY_TAIL},
	{"@APP@.fpm", "/etc/php/@APP@-fpm.conf",
	"; No user= or group=: the master is @USER@ already, and takes no notice of them.\n"
	"[global]\n"
	"daemonize = no\n"
	"error_log = @DIR@/log/fpm.log\n"
	"pid = /run/@APP@/fpm.pid\n"
	"\n"
	"[@APP@]\n"
	"; Its group is that of /run/@APP@, by the setgid bit: no listen.group, which a master without root cannot set.\n"
	"listen = /run/@APP@/@APP@.sock\n"
	"listen.mode = 0660\n"
	"pm = dynamic\n"
	"pm.max_children = 16\n"
	"pm.start_servers = 2\n"
	"pm.min_spare_servers = 1\n"
	"pm.max_spare_servers = 4\n"
	"; FPM empties its workers' environment but for these.\n"
	"env[APP_ENV] = $APP_ENV\n"
	"env[TMPDIR] = $TMPDIR\n"},
	COMMON_FILES(SUPERVISOR(FPM, "QUIT"), SERVICE(FPM, "QUIT"),
		"server {\n"
		"	listen 80;\n"
		"	server_name @APP@.example.org;\n"
		"	root @DIR@/current/public;\n"
		"	index index.php;\n"
		"\n"
		"	location / {\n"
		"		try_files $uri $uri/ /index.php?$query_string;\n"
		"	}\n"
		"	location ~ ^/index\\.php$ {\n"
		"		include fastcgi_params;\n"
		"		fastcgi_param SCRIPT_FILENAME $realpath_root$fastcgi_script_name;\n"
		"		fastcgi_param DOCUMENT_ROOT $realpath_root;\n"
		"		fastcgi_pass unix:/run/@APP@/@APP@.sock;\n"
		"	}\n"
		"}\n",
		LOGROTATE(REOPEN("USR1", "fpm.pid")),
		"# The same policy as for the web: what one writes, the other can read. Absolute paths: cron's PATH is /usr/bin:/bin.\n"
		"* * * * * root @RUNAS@ @APP@ -- /usr/bin/php artisan schedule:run\n"),
	{0},
};

/* --- container --- */

static const struct template_file container[] = {
	{"@APP@.conf", "/etc/runas-app/@APP@.conf",
	"# The entry point of a container. Numbers only, so that /etc/passwd and /etc/group need not know anybody.\n"
	"# It works as root (with CAP_SETUID, CAP_SETGID, CAP_SETPCAP, as by default) and as the app's user already (runAsUser).\n"
	"\n"
	"runas-app = 1\n"
	"\n"
	"user   = @USER@\n"
	"group  = @USER@\n"
	"groups = @USER@\n"
	"umask  = 0027\n"
	"\n"
	"# A number without an entry in /etc/passwd has no home: both must be given.\n"
	"directory = @DIR@\n"
	"home      = @DIR@\n"
	"path      = /usr/local/bin:/usr/bin:/bin\n"
	"\n"
	"# What the runtime's environment may hand in, name by name. Set with `env` what loaders and interpreters obey (RUBYOPT ...).\n"
	"env_keep = PORT DATABASE_URL SECRET_KEY_BASE\n"
	"\n"
	"# Whatever CMD says may run. One line for each command says more:  command = /usr/local/bin/bundle exec puma *\n"
	"command = *\n"
	"\n"
	"# Where the kernel has Landlock: nothing else is writable.\n"
	"# write = @DIR@/data\n"
	"# tmp   = /tmp\n"
	"\n"
	"# yes: where the app opens /dev/stdout or /dev/stderr again, as web servers do for their logs.\n"
	"stdio_chown = no\n"
	"\n"
	"syscalls = @app-server\n"
	"\n"
	"# A container often has no system logger; with `required` it would not start without one.\n"
	"log = syslog\n"},
	{"Dockerfile", "(lines for your Dockerfile; runas-app is one static file)",
	"# In an image it needs no setuid bit. A policy that its group may write (0664 of a checkout) is refused: --chmod.\n"
	"COPY --chmod=0755 runas-app /usr/bin/runas-app\n"
	"COPY --chmod=0644 @APP@.conf /etc/runas-app/@APP@.conf\n"
	"WORKDIR @DIR@\n"
	"ENTRYPOINT [\"/usr/bin/runas-app\", \"@APP@\", \"--\"]\n"
	"CMD [\"/usr/bin/env\"]\n"},
	{0},
};

/* clang-format on */

const struct template templates[] = {
	{"passenger", NULL, "/srv/@APP@", passenger},
	{"gunicorn", NULL, "/srv/@APP@", gunicorn},
	{"puma", NULL, "/srv/@APP@", puma},
	{"php-fpm", NULL, "/srv/@APP@", php_fpm},
	{"container", "10001", "/app", container},
	{0},
};
