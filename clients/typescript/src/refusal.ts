// What a Hubkeep service says when it does not do what it was asked.

import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

import { ErrorInfoSchema, RequestInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.js";

/** A refusal, read. Decide by its reason, never by its message. */
export interface Refusal {
  code: string;
  message: string;
  /** One of hubkeep.error.v1.ErrorReason, without its prefix. */
  reason: string;
  domain: string;
  metadata: Record<string, string>;
  /** In milliseconds. Set if the same request may succeed later, and only then. */
  retryAfter?: number;
  /** Finds the call in logs and audit entries. */
  requestId?: string;
}

/** Reads a call's error; undefined if no Hubkeep service gave it, as when a connection failed. */
export function asRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof ConnectError)) {
    return undefined;
  }
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info?.domain !== "hubkeep") {
    return undefined;
  }
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const { reason, domain, metadata } = info;
  return {
    code: Code[error.code],
    message: error.rawMessage,
    reason,
    domain,
    metadata,
    retryAfter: delay && durationMs(delay),
    requestId: error.findDetails(RequestInfoSchema)[0]?.requestId,
  };
}

/** All of it, in a line. */
export function told(refusal: Refusal): string {
  let text = `${refusal.code} ${refusal.domain}/${refusal.reason}: ${refusal.message}`;
  const pairs = Object.entries(refusal.metadata).sort();
  if (pairs.length > 0) {
    text += ` [${pairs.map(([key, value]) => `${key}=${value}`).join(", ")}]`;
  }
  if (refusal.retryAfter !== undefined) {
    text += ` (again in ${refusal.retryAfter / 1000}s)`;
  }
  return text;
}
