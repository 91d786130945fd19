# syntax=docker/dockerfile:1

# The image holds one static binary with the pages and the map inside, CA certificates, and nothing to log into.
#
#   docker build -t hotfoot --build-arg VERSION="$(git describe --tags --always)" .
#   docker run --rm hotfoot --help

# Both build stages run natively and compile for the target, so an image for another architecture needs no emulation.
FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-fund --no-audit
COPY web ./
RUN npm run build
COPY deploy/licenses.sh /src/deploy/
RUN cd /src && deploy/licenses.sh npm /out/licenses/npm

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . ./
COPY --from=web /src/web/dist ./web/dist
# As the Makefile has it, and for both: what is compiled, and whose licenses are passed on.
ENV GOFLAGS=-tags=nomsgpack
ARG TARGETOS TARGETARCH
ARG VERSION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /out/hotfoot ./cmd/hotfoot && \
    deploy/licenses.sh go /out/licenses/go

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=unknown
LABEL org.opencontainers.image.title="Hotfoot" \
      org.opencontainers.image.description="Real-time delivery tracking: couriers report, customers watch, dispatchers see everything" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
COPY LICENSE NOTICE /licenses/
COPY --from=web /out/licenses /licenses
COPY --from=build /out/licenses /licenses
COPY --from=build /out/hotfoot /hotfoot
# Inside a container the loopback is reachable for nobody. 9464 serves metrics and profiles: keep it on a private network.
ENV HOTFOOT_LISTEN=0.0.0.0:8080 \
    HOTFOOT_ADMIN_LISTEN=0.0.0.0:9464
EXPOSE 8080 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/hotfoot", "health"]
ENTRYPOINT ["/hotfoot"]
CMD ["serve"]
