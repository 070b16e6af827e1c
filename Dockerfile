ARG BASE=python:3.13-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
COPY . /src
# Many wheels carry debug symbols, a sixth of the image.
RUN python -m venv --without-pip /opt/mock-klarna \
    && python -m pip --python /opt/mock-klarna/bin/python install --no-cache-dir --no-compile "/src[fast,postgres]" \
    && find /opt/mock-klarna -name '*.so' -exec strip --strip-unneeded {} +
# Only what a purchase and a look at every shopper import is compiled: all of Faker and of the
# standard library, which slim bases ship without bytecode, would more than double the image.
ENV PATH=/opt/mock-klarna/bin:$PATH \
    PYTHONPYCACHEPREFIX=/opt/mock-klarna/bytecode
WORKDIR /
RUN mock-klarna demo --once --tls --tls-folder /tmp/tls && mock-klarna shoppers --json >/dev/null && mock-klarna openapi >/dev/null \
    && mock-klarna ca --tls-folder /tmp/tls --recipes >/dev/null
# Faker's providers of locales that no shopper uses, and the sources of compiled modules, are not needed at run time.
# A provider that was imported above has bytecode.
RUN cd /opt/mock-klarna/lib/python3*/site-packages \
    && for provider in faker/providers/*/; do \
         for locale in "$provider"*_*/; do \
           [ -d "$PYTHONPYCACHEPREFIX/$PWD/$locale" ] || rm -rf "$locale"; \
         done; \
       done \
    && find . \( -name '*.c' -o -name '*.h' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' \) -delete

FROM ${BASE}
LABEL org.opencontainers.image.title="mock-klarna" \
      org.opencontainers.image.description="An emulator of Klarna Instant Shopping for tests and for work offline" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/mock-klarna /opt/mock-klarna
ENV PATH=/opt/mock-klarna/bin:$PATH \
    PYTHONPYCACHEPREFIX=/opt/mock-klarna/bytecode \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MOCK_KLARNA_HOST=0.0.0.0 \
    MOCK_KLARNA_SCENARIOS=/scenarios \
    PORT=8080
WORKDIR /scenarios
USER 10001:10001
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=2s --timeout=3s --start-period=5s --retries=5 CMD ["mock-klarna", "healthcheck"]
# A container's first process ignores signals that it has no handler for; blocked ones wait until it has.
ENTRYPOINT ["env", "--block-signal=TERM", "--block-signal=INT", "--block-signal=HUP", "mock-klarna"]
CMD ["serve"]
