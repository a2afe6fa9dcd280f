"""What a Hubkeep service says when it does not do what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import grpc
from google.rpc.error_details_pb2 import ErrorInfo, RequestInfo, RetryInfo
from grpc_status import rpc_status


@dataclass(frozen=True)
class Refusal:
    """A refusal, read. Decide by its reason, never by its message."""

    code: str
    message: str
    # One of hubkeep.error.v1.ErrorReason, without its prefix.
    reason: str
    domain: str
    metadata: dict[str, str] = field(default_factory=dict)
    # Set if the same request may succeed later, and only then.
    retry_after: timedelta | None = None
    # Finds the call in logs and audit entries.
    request_id: str = ""

    @classmethod
    def of(cls, error: grpc.RpcError) -> Refusal | None:
        """Reads a call's error; None if no Hubkeep service gave it, as when a connection failed."""
        status = rpc_status.from_call(error)
        if status is None:
            return None
        info, retry, request = ErrorInfo(), RetryInfo(), RequestInfo()
        has_retry = False
        for detail in status.details:
            detail.Unpack(info)
            detail.Unpack(request)
            has_retry |= detail.Unpack(retry)
        if info.domain != "hubkeep":
            return None
        return cls(
            code=error.code().name,
            message=status.message,
            reason=info.reason,
            domain=info.domain,
            metadata=dict(info.metadata),
            retry_after=retry.retry_delay.ToTimedelta() if has_retry else None,
            request_id=request.request_id,
        )

    def __str__(self) -> str:
        text = f"{self.code} {self.domain}/{self.reason}: {self.message}"
        if self.metadata:
            text += f" [{', '.join(f'{key}={value}' for key, value in sorted(self.metadata.items()))}]"
        if self.retry_after is not None:
            text += f" (again in {self.retry_after.total_seconds():g}s)"
        return text
