package cli

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/lighter-go/lighter/internal/console"
)

// logOptions are the flags of the program's log.
type logOptions struct {
	json            bool
	louder, quieter int
}

func (o *logOptions) register(flags *pflag.FlagSet) {
	flags.CountVarP(&o.louder, "louder", "v", "log more: -v for debug, -vv for trace``")
	flags.CountVarP(&o.quieter, "quieter", "q", "log less: -q for warnings, -qq for errors only``")
	flags.Var((*logFormat)(&o.json), "log-format", "`FORMAT` of the log on stderr: console or json")
}

// logFormat is the value of --log-format: whether it is json.
type logFormat bool

func (f *logFormat) Set(s string) error {
	if s != "console" && s != "json" {
		return fmt.Errorf("want console or json")
	}
	*f = s == "json"
	return nil
}

func (f *logFormat) String() string {
	if *f {
		return "json"
	}
	return "console"
}

func (f *logFormat) Type() string { return "string" }

// open makes the log and the console of a stream. With JSON the stream carries nothing else: what is written to the
// console becomes messages of the log.
func (o *logOptions) open(f *os.File) (zerolog.Logger, *console.Console) {
	level := zerolog.InfoLevel + zerolog.Level(o.quieter-o.louder)
	level = max(zerolog.TraceLevel, min(level, zerolog.ErrorLevel))
	if o.json {
		log := zerolog.New(zerolog.SyncWriter(f)).Level(level).With().Timestamp().Logger()
		return log, console.New(messages{log}, false, false)
	}
	terminal := term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	c := console.New(f, terminal, terminal && os.Getenv("NO_COLOR") == "")
	w := zerolog.ConsoleWriter{Out: c, NoColor: !c.Color(), TimeFormat: time.TimeOnly}
	return zerolog.New(w).Level(level).With().Timestamp().Logger(), c
}

// messages writes every line to a log.
type messages struct{ log zerolog.Logger }

func (m messages) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if line = bytes.TrimRight(line, " \n"); len(line) > 0 {
			m.log.Info().Msg(string(line))
		}
	}
	return len(p), nil
}
