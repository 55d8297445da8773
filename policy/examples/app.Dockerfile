# SPDX-License-Identifier: ISC
# The image of app.conf. The directory it is built in holds runas-app (static: it runs in any image), app.conf, and the app,
# here nothing but pages for busybox's own server. For puma, FROM ruby, and CMD ["bundle", "exec", "puma", ...].
FROM busybox:stable

# Without --chmod a file of a group-writable checkout stays group-writable, and the policy is refused [policy-mode].
COPY --chmod=0755 runas-app /usr/local/bin/
COPY --chmod=0644 app.conf /etc/runas-app/
COPY public /app/public

# The exec form: with the other one a shell would be PID 1, and get the signals.
ENTRYPOINT ["runas-app", "app", "--"]
CMD ["httpd", "-f", "-p", "8080", "-h", "/app/public"]

# No USER line: as root, runas-app empties the bounding set, too. With `USER 10001:10001` it works as well.
