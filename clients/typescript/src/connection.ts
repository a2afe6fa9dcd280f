// Connections to the two services, and the handle that goes with a call.

import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";

import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

/**
 * A transport to a Hubkeep service at "http://host:port" or "https://host:port".
 *
 * https takes the files in HUBKEEP_CA, HUBKEEP_CERT and HUBKEEP_KEY: your certificate is who you are. http is for
 * services started with --dev, on this machine: nothing is encrypted or proven, and you are whom HUBKEEP_AS names.
 */
export function dial(address: string): Transport {
  const { protocol, hostname } = new URL(address);
  switch (protocol) {
    case "https:":
      return createGrpcTransport({
        baseUrl: address,
        nodeOptions: { ca: file("HUBKEEP_CA"), cert: file("HUBKEEP_CERT"), key: file("HUBKEEP_KEY") },
      });
    case "http:":
      if (!isLoopback(hostname)) {
        throw new Error(`${address}: handles are secrets: use https://, or http:// on loopback only`);
      }
      return createGrpcTransport({ baseUrl: address, interceptors: [calledBy(setting("HUBKEEP_AS", "example-node"))] });
    default:
      throw new Error(`${address}: expected http://host:port or https://host:port`);
  }
}

/** The headers of a call that is made with a handle. */
export function showing(handle: string): { authorization: string } {
  return { authorization: `Bearer ${handle}` };
}

/** An environment variable, or what stands for it. */
export function setting(name: string, otherwise: string): string {
  return process.env[name] || otherwise;
}

/** Whether what is sent to this host, as a URL has it, stays on this machine. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
}

function calledBy(name: string): Interceptor {
  return (next) => (request) => {
    request.header.set("hubkeep-caller", name);
    return next(request);
  };
}

function file(name: string): Buffer {
  const path = process.env[name];
  if (!path) {
    throw new Error(`${name} must name a file: https takes certificates`);
  }
  return readFileSync(path);
}
