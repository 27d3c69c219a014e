// The Go client's calls against a server that answers from a file. The address and the key are in the
// client's own variables; PICTURES is a folder with photo.jpg, photo.png and note.png.
package sdk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genai"
)

const model = "gemini-3-flash-preview"

func connect(t *testing.T) *genai.Client {
	t.Helper()
	client, err := genai.NewClient(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func ask(t *testing.T, contents []*genai.Content, config *genai.GenerateContentConfig) *genai.GenerateContentResponse {
	t.Helper()
	answer, err := connect(t).Models.GenerateContent(context.Background(), model, contents, config)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func photo(t *testing.T) *genai.Part {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(os.Getenv("PICTURES"), "photo.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	return genai.NewPartFromBytes(data, "image/jpeg")
}

func user(parts ...*genai.Part) []*genai.Content {
	return []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)}
}

func same[T comparable](t *testing.T, what string, found, wanted T) {
	t.Helper()
	if found != wanted {
		t.Errorf("%s: %v, not %v", what, found, wanted)
	}
}

// refused gives the error of a call that the server has to refuse.
func refused(t *testing.T, err error) genai.APIError {
	t.Helper()
	var failure genai.APIError
	if !errors.As(err, &failure) {
		t.Fatalf("no error of the API: %v", err)
	}
	return failure
}

func imageTokens(answer *genai.GenerateContentResponse) int32 {
	for _, one := range answer.UsageMetadata.PromptTokensDetails {
		if one.Modality == genai.MediaModalityImage {
			return one.TokenCount
		}
	}
	return 0
}

func TestATextIsAnswered(t *testing.T) {
	answer := ask(t, genai.Text("who are you"), nil)

	same(t, "text", answer.Text(), "Nobody.")
	same(t, "finish", answer.Candidates[0].FinishReason, genai.FinishReasonStop)
	same(t, "version", answer.ModelVersion, model)
}

func TestASystemInstructionAndSamplingAreSent(t *testing.T) {
	answer := ask(t, genai.Text("who are you"), &genai.GenerateContentConfig{
		SystemInstruction: genai.NewContentFromText("You are a pirate.", genai.RoleUser),
		Temperature:       genai.Ptr[float32](0.5),
		TopP:              genai.Ptr[float32](0.9),
		TopK:              genai.Ptr[float32](40),
		Seed:              genai.Ptr[int32](7),
		MaxOutputTokens:   100,
		StopSequences:     []string{"###"},
		CandidateCount:    1,
	})

	same(t, "text", answer.Text(), "A pirate.")
}

func TestCountTokensEqualsUsage(t *testing.T) {
	contents := user(photo(t), genai.NewPartFromText("Describe this image:"))

	counted, err := connect(t).Models.CountTokens(context.Background(), model, contents, nil)
	answer := ask(t, contents, nil)

	if err != nil {
		t.Fatal(err)
	}
	same(t, "tokens", counted.TotalTokens, answer.UsageMetadata.PromptTokenCount)
}

func TestResolutionsAreForTheRequestAndForAPart(t *testing.T) {
	question := genai.NewPartFromText("Describe this image:")
	fine := photo(t)
	fine.MediaResolution = &genai.PartMediaResolution{
		Level: genai.PartMediaResolutionLevelMediaResolutionUltraHigh,
	}
	low := &genai.GenerateContentConfig{MediaResolution: genai.MediaResolutionLow}

	same(t, "low", imageTokens(ask(t, user(photo(t), question), low)), 280)
	same(t, "ultra high", imageTokens(ask(t, user(fine, question), low)), 2240)
}

func TestASchemaIsFilled(t *testing.T) {
	answer := ask(t, genai.Text("Which book?"), &genai.GenerateContentConfig{
		ResponseMIMEType: "application/json",
		ResponseSchema: &genai.Schema{
			Type: genai.TypeObject,
			Properties: map[string]*genai.Schema{
				"title": {Type: genai.TypeString},
				"pages": {Type: genai.TypeInteger},
			},
		},
	})

	if !strings.Contains(answer.Text(), `"title"`) || !strings.Contains(answer.Text(), "474") {
		t.Errorf("not the book: %s", answer.Text())
	}
}

func TestThoughtsAreTold(t *testing.T) {
	answer := ask(t, genai.Text("think first"), &genai.GenerateContentConfig{
		ThinkingConfig: &genai.ThinkingConfig{IncludeThoughts: true},
	})

	same(t, "text", answer.Text(), "Done.")
	if !slices.ContainsFunc(answer.Candidates[0].Content.Parts, func(part *genai.Part) bool { return part.Thought }) {
		t.Error("no thought is among the parts")
	}
}

func TestABlockedPromptSaysWhy(t *testing.T) {
	answer := ask(t, genai.Text("say no more"), nil)

	same(t, "candidates", len(answer.Candidates), 0)
	same(t, "reason", answer.PromptFeedback.BlockReason, genai.BlockedReasonSafety)
}

func TestAStreamGivesThePiecesAndTheUsage(t *testing.T) {
	var text strings.Builder
	var last *genai.GenerateContentResponse

	for piece, err := range connect(t).Models.GenerateContentStream(context.Background(), model, genai.Text("tell me a story"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(piece.Text())
		last = piece
	}

	same(t, "text", text.String(), "Once upon a time.")
	same(t, "finish", last.Candidates[0].FinishReason, genai.FinishReasonStop)
	if last.UsageMetadata.TotalTokenCount == 0 {
		t.Error("the last piece has no usage")
	}
}

func TestAnErrorInTheMiddleOfAStreamIsRead(t *testing.T) {
	var text strings.Builder
	var failure error

	for piece, err := range connect(t).Models.GenerateContentStream(context.Background(), model, genai.Text("break off"), nil) {
		if err != nil {
			failure = err
			break
		}
		text.WriteString(piece.Text())
	}

	same(t, "text before", text.String(), "Once ")
	same(t, "code", refused(t, failure).Code, 503)
}

func TestAChatRemembers(t *testing.T) {
	chat, err := connect(t).Chats.Create(context.Background(), model, nil, nil)
	if err != nil {
		t.Fatal(err)
	}

	for _, question := range []string{"who are you", "which season is it"} {
		if _, err = chat.Send(context.Background(), genai.NewPartFromText(question)); err != nil {
			t.Fatal(err)
		}
	}

	same(t, "turns", len(chat.History(true)), 4)
}

func TestAStreamedChatRemembers(t *testing.T) {
	chat, err := connect(t).Chats.Create(context.Background(), model, nil, nil)
	if err != nil {
		t.Fatal(err)
	}

	for _, err := range chat.SendStream(context.Background(), genai.NewPartFromText("tell me a story")) {
		if err != nil {
			t.Fatal(err)
		}
	}

	if len(chat.History(true)) < 2 {
		t.Errorf("the client has left out the turn: %d of %d", len(chat.History(true)), len(chat.History(false)))
	}
}

func weather() *genai.GenerateContentConfig {
	city := &genai.Schema{
		Type:       genai.TypeObject,
		Properties: map[string]*genai.Schema{"city": {Type: genai.TypeString}},
		Required:   []string{"city"},
	}
	declared := &genai.FunctionDeclaration{Name: "get_weather", Description: "The weather.", Parameters: city}
	return &genai.GenerateContentConfig{
		Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{declared}}},
	}
}

func TestAFunctionIsCalledAndAnswered(t *testing.T) {
	question := genai.NewContentFromText("What is the weather in Paris?", genai.RoleUser)

	called := ask(t, []*genai.Content{question}, weather())
	calls := called.FunctionCalls()
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	result := genai.NewContentFromFunctionResponse(calls[0].Name, map[string]any{"sky": "blue"}, genai.RoleUser)
	result.Parts[0].FunctionResponse.ID = calls[0].ID
	answer := ask(t, []*genai.Content{question, called.Candidates[0].Content, result}, weather())

	same(t, "city", calls[0].Args["city"], any("Paris"))
	same(t, "text", answer.Text(), "The sky is blue.")
}

func TestAFunctionIsCalledInAStream(t *testing.T) {
	var calls []*genai.FunctionCall
	contents := genai.Text("What is the weather in Paris?")

	for piece, err := range connect(t).Models.GenerateContentStream(context.Background(), model, contents, weather()) {
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, piece.FunctionCalls()...)
	}

	if len(calls) != 1 || calls[0].Name != "get_weather" {
		t.Errorf("not one call of get_weather: %v", calls)
	}
}

func TestAnErrorHasItsStatusAndWhenToComeBack(t *testing.T) {
	_, err := connect(t).Models.GenerateContent(context.Background(), model, genai.Text("too much"), nil)

	failure := refused(t, err)
	same(t, "code", failure.Code, 429)
	same(t, "status", failure.Status, "RESOURCE_EXHAUSTED")
	delay := slices.ContainsFunc(failure.Details, func(one map[string]any) bool { return one["retryDelay"] == "7s" })
	same(t, "retryDelay is told", delay, true)
}

func TestARequestThatIsWrongNamesItsField(t *testing.T) {
	config := &genai.GenerateContentConfig{Temperature: genai.Ptr[float32](9)}

	_, err := connect(t).Models.GenerateContent(context.Background(), model, genai.Text("Hi"), config)

	failure := refused(t, err)
	same(t, "status", failure.Status, "INVALID_ARGUMENT")
	if !strings.Contains(failure.Message, "generation_config.temperature") {
		t.Error(failure.Message)
	}
}

func TestAnUnknownModelIsNotFound(t *testing.T) {
	_, err := connect(t).Models.GenerateContent(context.Background(), "no-such-model", genai.Text("Hi"), nil)

	same(t, "code", refused(t, err).Code, 404)
}

func TestADeadlineEndsTheCall(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var failure error

	for _, err := range connect(t).Models.GenerateContentStream(ctx, model, genai.Text("for ever"), nil) {
		failure = err
	}

	if failure == nil {
		t.Error("the stream has ended without an error")
	}
}

func TestModelsAreListedAndDescribed(t *testing.T) {
	client := connect(t)
	var names []string

	for one, err := range client.Models.All(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, one.Name)
	}
	one, err := client.Models.Get(context.Background(), model, nil)
	if err != nil {
		t.Fatal(err)
	}

	same(t, "listed", slices.Contains(names, "models/"+model), true)
	same(t, "name", one.Name, "models/"+model)
	same(t, "input limit", one.InputTokenLimit, 1_048_576)
}

func TestTunedModelsAreNone(t *testing.T) {
	page, err := connect(t).Models.List(context.Background(), &genai.ListModelsConfig{QueryBase: genai.Ptr(false)})
	if err != nil {
		t.Fatal(err)
	}

	same(t, "models", len(page.Items), 0)
}

func TestAnotherServiceIsNotOffered(t *testing.T) {
	_, err := connect(t).Models.EmbedContent(context.Background(), "gemini-embedding-001", genai.Text("Hi"), nil)

	failure := refused(t, err)
	same(t, "code", failure.Code, 501)
	same(t, "status", failure.Status, "UNIMPLEMENTED")
}

func TestAFileIsUploadedAskedAboutListedAndDeleted(t *testing.T) {
	client := connect(t)
	path := filepath.Join(os.Getenv("PICTURES"), "photo.png")

	file, err := client.Files.UploadFromPath(context.Background(), path, &genai.UploadFileConfig{DisplayName: "Grüße"})
	if err != nil {
		t.Fatal(err)
	}
	question := genai.NewPartFromText("Describe this image:")
	answer := ask(t, user(genai.NewPartFromFile(*file), question), nil)
	var listed []string
	for one, err := range client.Files.All(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, one.Name)
	}
	known, err := client.Files.Get(context.Background(), file.Name, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, deleted := client.Files.Delete(context.Background(), file.Name, nil)
	_, gone := client.Files.Get(context.Background(), file.Name, nil)

	same(t, "state", known.State, genai.FileStateActive)
	same(t, "display name", known.DisplayName, "Grüße")
	same(t, "tokens", imageTokens(answer), 1120)
	same(t, "listed", slices.Contains(listed, file.Name), true)
	same(t, "deleted", deleted, nil)
	same(t, "code", refused(t, gone).Code, 403)
}

func TestAFileOfSeveralChunksArrivesWhole(t *testing.T) {
	client := connect(t)
	text := strings.Repeat("All work and no play. ", 1_000_000)

	file, err := client.Files.Upload(context.Background(), strings.NewReader(text), &genai.UploadFileConfig{MIMEType: "text/plain"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = client.Files.Delete(context.Background(), file.Name, nil); err != nil {
		t.Fatal(err)
	}

	same(t, "bytes", *file.SizeBytes, int64(len(text)))
}
