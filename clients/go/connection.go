package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// dial connects to a Hubkeep service at "http://host:port" or "https://host:port".
//
// https takes the files in HUBKEEP_CA, HUBKEEP_CERT and HUBKEEP_KEY: your certificate is who you are. http is
// for services started with --dev, on this machine: nothing is encrypted or proven, and you are whom HUBKEEP_AS names.
func dial(address string) (*grpc.ClientConn, error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	switch at.Scheme {
	case "https":
		identity, err := certificates()
		if err != nil {
			return nil, err
		}
		return grpc.NewClient(at.Host, grpc.WithTransportCredentials(identity))
	case "http":
		if !isLoopback(at.Hostname()) {
			return nil, fmt.Errorf("%s: handles are secrets: use https://, or http:// on loopback only", address)
		}
		return grpc.NewClient(at.Host,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithPerRPCCredentials(header{"hubkeep-caller", setting("HUBKEEP_AS", "example-go")}))
	}
	return nil, fmt.Errorf("%s: expected http://host:port or https://host:port", address)
}

// isLoopback tells whether what is sent to this host stays on this machine.
func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// certificates reads the files that mutual TLS takes.
func certificates() (credentials.TransportCredentials, error) {
	ca, err := os.ReadFile(os.Getenv("HUBKEEP_CA"))
	if err != nil {
		return nil, fmt.Errorf("HUBKEEP_CA: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("HUBKEEP_CA: no certificate in %s", os.Getenv("HUBKEEP_CA"))
	}
	own, err := tls.LoadX509KeyPair(os.Getenv("HUBKEEP_CERT"), os.Getenv("HUBKEEP_KEY"))
	if err != nil {
		return nil, fmt.Errorf("HUBKEEP_CERT, HUBKEEP_KEY: %w", err)
	}
	return credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}}), nil
}

// showing sends the handle with a call: grpc.CallOption of every method that takes one.
func showing(handle string) grpc.CallOption {
	return grpc.PerRPCCredentials(header{"authorization", "Bearer " + handle})
}

// header is one header that goes with a call.
type header struct{ name, value string }

func (h header) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{h.name: h.value}, nil
}

// RequireTransportSecurity is false for --dev alone: dial sends without it to loopback only.
func (h header) RequireTransportSecurity() bool { return false }

// setting is an environment variable, or what stands for it.
func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
