package cli

import (
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

// console makes the console of a stream. A log of JSON is read by programs, whatever the stream is.
func (o *logOptions) console(f *os.File) *console.Console {
	terminal := !o.json && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	return console.New(f, terminal, terminal && os.Getenv("NO_COLOR") == "")
}

func (o *logOptions) logger(c *console.Console) zerolog.Logger {
	level := zerolog.InfoLevel + zerolog.Level(o.quieter-o.louder)
	level = max(zerolog.TraceLevel, min(level, zerolog.ErrorLevel))
	log := zerolog.New(c)
	if !o.json {
		log = log.Output(zerolog.ConsoleWriter{Out: c, NoColor: !c.Color(), TimeFormat: time.TimeOnly})
	}
	return log.Level(level).With().Timestamp().Logger()
}
