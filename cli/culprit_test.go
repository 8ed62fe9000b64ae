package cli

import "testing"

// A panic is lighter's where it comes from lighter's own packages, also when a deferred call panics again.
func TestCulprit(t *testing.T) {
	stack := func(function string) string {
		return "goroutine 1 [running]:\nruntime/debug.Stack()\n\t/go/stack.go:26 +0x5e\ngithub.com/lighter-go/lighter/cli.(*program).main.func1()\n\tcli/main.go:62 +0x3c\n" +
			"panic({0x1, 0x2})\n\truntime/panic.go:792 +0x1\ngithub.com/lighter-go/lighter/tensor.Recover()\n\ttensor/error.go:9 +0x1\n" +
			"panic({0x1, 0x2})\n\truntime/panic.go:792 +0x1\nruntime.goPanicIndex()\n\truntime/panic.go:115 +0x1\n" + function + "\n\tmine/loss.go:17 +0x2b\n"
	}
	users := []string{"example.com/mine"}
	for function, want := range map[string]string{
		"example.com/mine.(*loss).Forward()":                     "example.com/mine, at mine/loss.go:17",
		"example.com/mine/deep.f()":                              "example.com/mine, at mine/loss.go:17",
		"example.com/mines.f()":                                  "lighter",
		"github.com/lighter-go/lighter/internal/engine.(*x).y()": "lighter",
	} {
		if got := culprit(stack(function), users); got != want {
			t.Errorf("%s: %q, want %q", function, got, want)
		}
	}
	if got := culprit("goroutine 1 [running]:\n", users); got != "lighter" {
		t.Errorf("without a panic: %q", got)
	}
}
