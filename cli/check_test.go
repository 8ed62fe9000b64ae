package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lighter-go/lighter/internal/engine"
)

// digits is a configuration that ends with its vars.
func digits(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("../configs/digits.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// longConfig writes a configuration of more than 1,000 lines: the digits' with a deep network.
func longConfig(tb testing.TB) string {
	tb.Helper()
	var layers strings.Builder
	for range 250 {
		layers.WriteString("      - _target_: torch.nn.Linear\n        in_features: 64\n        out_features: \"$@vars::hidden // 2\"\n        bias: \"@vars::bias\"\n")
	}
	const first = "      - {_target_: torch.nn.ReLU}\n"
	text := strings.Replace(digits(tb), first, layers.String()+first, 1) + "  bias: true\n"
	if n := strings.Count(text, "\n"); n < 1000 {
		tb.Fatalf("only %d lines", n)
	}
	file := filepath.Join(tb.TempDir(), "long.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

// TestCheckIsFast: a configuration of 1,000 lines is checked in less than 100 ms, in the best of some tries, so that a busy
// machine does not matter.
func TestCheckIsFast(t *testing.T) {
	file := longConfig(t)
	best := time.Hour
	for range 10 {
		start := time.Now()
		if _, _, err := engine.Check([]any{file}, engine.Options{}); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("checked in %v", best)
	if best > 100*time.Millisecond {
		t.Errorf("checking takes %v", best)
	}
}

func BenchmarkCheck(b *testing.B) {
	file := longConfig(b)
	for b.Loop() {
		if _, _, err := engine.Check([]any{file}, engine.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// A wrong target, a wrong kind and a value outside its range in as many components as there are is all reported, once each.
func TestEveryProblemIsReportedOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "many.yaml")
	text := digits(t)
	for i := range 20 {
		text += fmt.Sprintf("  unused%d: {_target_: torch.nn.Linear, in_featurs: 1, out_features: x}\n", i)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, report, err := engine.Check([]any{file}, engine.Options{})
	if err != nil {
		t.Fatal("a section that no stage needs stops the check: ", err)
	}
	if len(report.Problems) != 40 {
		t.Errorf("%d warnings, want 40:\n%v", len(report.Problems), report.Problems)
	}
}
