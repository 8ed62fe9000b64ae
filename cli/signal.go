package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// interruption is the cause of the end of a stage that a signal stopped.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string { return "stopped by " + unix.SignalName(i.signal) }

// Unwrap says that it is a cancellation.
func (i interruption) Unwrap() error { return context.Canceled }

func (i interruption) exitCode() int { return 128 + int(i.signal) }

// untilSignal is a context that the first SIGINT, SIGTERM or SIGUSR1 ends, with an interruption as its cause. The second
// one ends the process. stop gives the signals back.
func untilSignal(log zerolog.Logger) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	received, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(received, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1)
	go func() {
		for count := 0; ; count++ {
			select {
			case s := <-received:
				i := interruption{s.(syscall.Signal)}
				if count > 0 {
					os.Exit(i.exitCode())
				}
				log.Warn().Msgf("%s: stopping after this step; once more stops at once", unix.SignalName(i.signal))
				cancel(i)
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		close(done)
		cancel(nil)
	}
}

// interrupted gives the interruption of ctx for err when err says no more than that there was one.
func interrupted(ctx context.Context, err error) error {
	var i interruption
	if errors.As(context.Cause(ctx), &i) && (err == nil || errors.Is(err, context.Canceled)) {
		return i
	}
	return err
}
