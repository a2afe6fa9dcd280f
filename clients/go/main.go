// An example client of Hubkeep: takes a handle, reads contacts with it, walks through all of them, sees what is left
// of the portal's quota, is refused another client's data, and finds its own call on the audit log.
//
//	go run . acme globex
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	audit "example.com/hubkeep-client/gen/hubkeep/audit/v1"
	credential "example.com/hubkeep-client/gen/hubkeep/credential/v1"
	crm "example.com/hubkeep-client/gen/hubkeep/crm/v1"
)

// How long everything here may take. The services see it as each call's deadline.
const patience = 20 * time.Second

func main() {
	log.SetFlags(0)
	client, other := "acme", "globex"
	if len(os.Args) == 3 {
		client, other = os.Args[1], os.Args[2]
	}
	if err := run(client, other); err != nil {
		log.Fatal(explained(err))
	}
}

func run(client, other string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	toCredentialService, err := dial(setting("HUBKEEP_CREDENTIAL_SERVICE", "http://127.0.0.1:7401"))
	if err != nil {
		return err
	}
	defer toCredentialService.Close()
	toCrmService, err := dial(setting("HUBKEEP_CRM_SERVICE", "http://127.0.0.1:7402"))
	if err != nil {
		return err
	}
	defer toCrmService.Close()

	handle, err := issue(ctx, credential.NewHandleServiceClient(toCredentialService), client)
	if err != nil {
		return err
	}
	objects := crm.NewObjectServiceClient(toCrmService)
	reply, err := list(ctx, objects, handle, client)
	if err != nil {
		return err
	}
	if err := walked(ctx, objects, handle, client); err != nil {
		return err
	}
	if err := left(ctx, crm.NewQuotaServiceClient(toCrmService), handle, client); err != nil {
		return err
	}
	if err := refused(ctx, objects, handle, other); err != nil {
		return err
	}
	return followed(ctx, audit.NewAuditServiceClient(toCrmService), handle, reply)
}

// issue takes a handle: for one portal, a few minutes, and no more than what is named here.
func issue(ctx context.Context, handles credential.HandleServiceClient, client string) (string, error) {
	issued, err := handles.IssueHandle(ctx, &credential.IssueHandleRequest{
		ClientSlug: client,
		Scope: &credential.HandleScope{
			Operations: []credential.HandleOperation{
				credential.HandleOperation_HANDLE_OPERATION_LIST,
				credential.HandleOperation_HANDLE_OPERATION_QUOTA,
				credential.HandleOperation_HANDLE_OPERATION_READ_AUDIT,
			},
			ObjectTypes: []string{"contacts"},
		},
		PurposeCode: "example",
	})
	if err != nil {
		return "", err
	}
	known := issued.GetDescription()
	fmt.Printf("handle %s of %s for portal %d, until %s\n",
		known.GetHandleId(), known.GetCaller(), known.GetPortalId(), known.GetExpireTime().AsTime().Format(time.RFC3339))
	return issued.GetHandle(), nil
}

// list reads two contacts, and gives what the service says about the call.
func list(ctx context.Context, objects crm.ObjectServiceClient, handle, client string) (*crm.Reply, error) {
	page, err := objects.ListObjects(ctx, &crm.ListObjectsRequest{
		ClientSlug: client,
		ObjectType: "contacts",
		Properties: []string{"email", "firstname"},
		PageSize:   2,
	}, showing(handle))
	if err != nil {
		return nil, err
	}
	for _, contact := range page.GetObjects() {
		fmt.Printf("contact %s %s\n", contact.GetObjectId(), contact.GetProperties()["email"])
	}
	fmt.Printf("call %s, durable at %d\n", page.GetReply().GetCallId(), page.GetReply().GetAuditPosition())
	return page.GetReply(), nil
}

// walked counts all contacts. After a break, a new request with the last resume token goes on.
func walked(ctx context.Context, objects crm.ObjectServiceClient, handle, client string) error {
	pages, err := objects.StreamObjects(ctx, &crm.StreamObjectsRequest{ClientSlug: client, ObjectType: "contacts"},
		showing(handle))
	if err != nil {
		return err
	}
	for count := 0; ; {
		page, err := pages.Recv()
		if errors.Is(err, io.EOF) {
			fmt.Printf("walked %d\n", count)
			return nil
		}
		if err != nil {
			return err
		}
		count += len(page.GetObjects())
	}
}

// left shows how many calls the portal may still make now.
func left(ctx context.Context, quotas crm.QuotaServiceClient, handle, client string) error {
	answer, err := quotas.GetQuota(ctx, &crm.GetQuotaRequest{ClientSlug: client}, showing(handle))
	if err != nil {
		return err
	}
	quota := answer.GetQuota()
	fmt.Printf("left %d now, %d today\n", quota.GetBurst().GetLeft(), quota.GetDaily().GetLeft())
	return nil
}

// refused asks for another client's contacts with a handle that is not for them.
func refused(ctx context.Context, objects crm.ObjectServiceClient, handle, other string) error {
	_, err := objects.ListObjects(ctx, &crm.ListObjectsRequest{ClientSlug: other, ObjectType: "contacts"}, showing(handle))
	r := asRefusal(err)
	if r == nil {
		return fmt.Errorf("expected a refusal, got %v", err)
	}
	fmt.Println("refused:", r)
	return nil
}

// followed reads the audit log until it shows how the call ended. One call's entries are found by an index, so
// beginning at 0 costs nothing; who follows everything goes on after the last position seen.
func followed(ctx context.Context, log audit.AuditServiceClient, handle string, reply *crm.Reply) error {
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	events, err := log.StreamEvents(ctx, &audit.StreamEventsRequest{
		AfterPosition: 0,
		Filter:        &audit.EventFilter{ClientSlug: reply.GetClientSlug(), CallId: reply.GetCallId()},
	}, showing(handle))
	if err != nil {
		return err
	}
	for {
		message, err := events.Recv()
		if err != nil {
			return err
		}
		event := message.GetEvent()
		if event == nil {
			continue // Nothing more up to message.GetReachedPosition(), so far.
		}
		entry := event.GetEntry()
		fmt.Printf("audit %d %s %s %s\n", event.GetPosition(), entry.GetPhase(), entry.GetOperation(), entry.GetResult())
		if entry.GetPhase() == audit.Phase_PHASE_OUTCOME {
			return nil
		}
	}
}
