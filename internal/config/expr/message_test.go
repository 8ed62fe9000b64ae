package expr

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/internal/diag"
)

var update = flag.Bool("update", false, "write testdata/messages.txt anew")

// What a user reads for every kind of mistake is what messages.txt says.
func TestMessages(t *testing.T) {
	const file = "testdata/messages.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n=====\n")
	if len(blocks) < 100 {
		t.Fatalf("only %d messages", len(blocks))
	}
	for i, b := range blocks {
		source, want, _ := strings.Cut(b, "\n-----\n")
		got := message(t, source)
		if got != want && !*update {
			t.Errorf("%s\ngives\n%s\nwant\n%s", source, got, want)
		}
		blocks[i] = source + "\n-----\n" + got
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(blocks, "\n=====\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// message is what is shown for the failure of a source.
func message(t *testing.T, source string) string {
	_, _, err := runFile(t, hosted(), source)
	if err == nil {
		return "no error"
	}
	if l, ok := err.(diag.List); ok {
		var b strings.Builder
		l.Render(&b, diag.Sources{"test.star": []byte(source)}, false)
		return strings.TrimRight(b.String(), "\n")
	}
	return err.Error()
}
