# The tool with buildah, which builds images of workloads without a daemon: `make image`.
# Another Debian: --build-arg BASE=…; a digest instead of the tag makes the base fixed.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS system
# Nothing here gives a container a network of its own, so CNI's plug-ins are not needed; neither is
# perl, which only scripts of Debian's maintainers use.
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
      buildah ca-certificates python3-minimal libpython3-stdlib \
 && rm -rf /usr/lib/cni /usr/lib/*/gconv /usr/lib/*/perl /usr/share/perl /usr/lib/*/libperl* /usr/lib/*/xtables \
      /usr/share/doc /usr/share/man /usr/share/locale /var/lib/apt/lists/* /var/cache/* /var/log/*
RUN useradd --create-home --uid 1000 score && mkdir /project && chown score /project

FROM system AS tool
RUN apt-get update -q && apt-get install -qy --no-install-recommends python3-venv
COPY requirements.lock dist/*.whl /tmp/
RUN python3 -m venv --without-pip /opt/score-flyio \
 && python3 -m venv /tmp/pip \
 && /tmp/pip/bin/pip --python /opt/score-flyio/bin/python install --no-cache-dir --no-compile \
      --require-hashes -r /tmp/requirements.lock \
 && /tmp/pip/bin/pip --python /opt/score-flyio/bin/python install --no-cache-dir --no-compile \
      --no-deps /tmp/*.whl \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/score-flyio

FROM system
COPY --from=tool /opt/score-flyio /opt/score-flyio
# In a container, buildah has neither an overlay file system nor namespaces to make more of.
ENV PATH=/opt/score-flyio/bin:$PATH \
    STORAGE_DRIVER=vfs \
    BUILDAH_ISOLATION=chroot
USER score
WORKDIR /project
ENTRYPOINT ["score-flyio"]
