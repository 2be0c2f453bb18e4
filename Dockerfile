# rappel as one static binary and CA certificates, and nothing else: the binary
# has time zone data of its own.
#
#   docker build --build-arg VERSION=v1.2.3 --build-arg COMMIT="$(git rev-parse HEAD)" -t rappel .

FROM golang:1.26-trixie AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY internal internal
COPY jobs jobs
COPY recipients recipients
COPY templates templates
ARG VERSION=dev
ARG COMMIT=
# git is not asked: .git stays outside, and the two arguments say more.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false \
	-ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /rappel ./cmd/rappel

FROM debian:trixie-slim AS data
RUN apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates

FROM scratch
COPY --from=data /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /rappel /rappel
USER 65532:65532
EXPOSE 8080
# Of the process alone: what it rests on is /readyz's matter, and no restart
# would cure it. Worker and scheduler alone need RAPPEL_HTTP_ADDR for it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/rappel", "check", "--alive"]
ENTRYPOINT ["/rappel"]
CMD ["run"]
