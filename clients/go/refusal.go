package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refusal is what a Hubkeep service says when it does not do what it was asked.
type refusal struct {
	code    codes.Code
	message string
	// One of hubkeep.error.v1.ErrorReason: decide by this, never by the message.
	reason   string
	domain   string
	metadata map[string]string
	// Set if the same request may succeed later, and only then.
	retryAfter *time.Duration
	// Finds the call in logs and audit entries.
	requestID string
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("%s %s/%s: %s", r.code, r.domain, r.reason, r.message)
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(r.metadata)) {
		pairs = append(pairs, key+"="+r.metadata[key])
	}
	if len(pairs) > 0 {
		text += " [" + strings.Join(pairs, ", ") + "]"
	}
	if r.retryAfter != nil {
		text += fmt.Sprintf(" (again in %s)", r.retryAfter)
	}
	return text
}

// asRefusal reads a call's error; nil if it is not a refusal of a Hubkeep service, but for example a
// connection that failed.
func asRefusal(err error) *refusal {
	told, ok := status.FromError(err)
	if err == nil || !ok {
		return nil
	}
	r := &refusal{code: told.Code(), message: told.Message()}
	for _, detail := range told.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			r.reason, r.domain, r.metadata = detail.GetReason(), detail.GetDomain(), detail.GetMetadata()
		case *errdetails.RetryInfo:
			delay := detail.GetRetryDelay().AsDuration()
			r.retryAfter = &delay
		case *errdetails.RequestInfo:
			r.requestID = detail.GetRequestId()
		}
	}
	if r.domain != "hubkeep" {
		return nil
	}
	return r
}

// explained is the error with all that a refusal says in it.
func explained(err error) error {
	if r := asRefusal(err); r != nil {
		return r
	}
	return err
}
