# syntax=docker/dockerfile:1

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/candor ./cmd/candor

FROM debian:12.11-slim
# Chromium, here its headless shell, comes with its security updates from Debian. Its fonts are evidence
# too: without them a page in another script would be captured as empty boxes.
# The set-user-id helper chromium-sandbox is left out on purpose: here Chromium
# sandboxes itself with user namespaces, so that no-new-privileges can stay on.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tzdata chromium-headless-shell fonts-liberation fonts-noto-core fonts-noto-color-emoji \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/candor --create-home --shell /usr/sbin/nologin candor
COPY --from=build /out/candor /usr/local/bin/candor

USER candor
WORKDIR /var/lib/candor
ENV CANDOR_DATA=/var/lib/candor CANDOR_CHROME=/usr/bin/chromium-headless-shell
VOLUME /var/lib/candor
EXPOSE 8080 8081
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=4 CMD ["candor", "health"]
ENTRYPOINT ["candor"]
CMD ["serve"]
