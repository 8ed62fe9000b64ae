package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/custom"
	"github.com/lighter-go/lighter/internal/release"
	"github.com/lighter-go/lighter/tensor"
)

func (p *program) buildCommand() *cobra.Command {
	var o custom.Options
	cmd := &cobra.Command{
		Use: "build --with PACKAGE [--with PACKAGE ...] [-o FILE]", Short: "Build a program with components of your own, written in Go",
		Long: `Build a program that is lighter with components of your own, written in Go. A package is

  ./mypkg                    a folder; it may have a go.mod, be in a module, or neither
  ./mypkg/...                with the packages below it
  example.com/mod@v1.2.3     a published package, with the version of its module; without @ the newest

It needs Go, a C++ compiler and libtorch's headers, and says which of them is missing. The first build compiles gotch and
lighter, which takes some minutes; later ones take seconds. docs/extending.md shows how components are written.`,
		Example: `  lighter build --with ./mypkg -o bin/mylighter
  lighter build --with ./losses --with ./data/... --with example.com/mod@v1.2.3 -o bin/mylighter
  bin/mylighter list mine.`,
		SuggestFor: []string{"compile", "make"}, GroupID: otherGroup, DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("a package is given by --with: lighter build --with %s", args[0])
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.With, "with", nil, "a package of components (repeatable)")
	flags.StringVarP(&o.Output, "output", "o", "mylighter", "the program's file")
	flags.BoolVar(&o.Setup, "setup", false, "get libtorch with its headers if they are missing (550 MB)")
	flags.StringVar(&o.Source, "source", "", "a checkout of lighter to build from, not the program's own source")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(o.With) == 0 {
			p.started = false
			return &usageError{cmd: cmd, err: fmt.Errorf("--with is missing: it names a package of your components"), hint: "lighter build --with ./mypkg -o bin/mylighter"}
		}
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		o.Cache = filepath.Join(cache, "lighter")
		o.Version, _ = release.Versions()
		o.Libraries = []string{filepath.Dir(tensor.LibraryPath())}
		o.Say = func(format string, args ...any) { p.log.Info().Msgf(format, args...) }
		ctx, stop := untilSignal(p.log)
		defer stop()
		added, err := custom.Build(ctx, o)
		if err != nil {
			return interrupted(ctx, err)
		}
		return p.printBuilt(o.Output, added)
	}
	return cmd
}

// printBuilt says what a build made.
func (p *program) printBuilt(output string, added []custom.Component) error {
	if len(added) == 0 {
		p.log.Warn().Msg("the packages register no components: lighter.Register in an init does that")
	}
	width := 0
	for _, c := range added {
		width = max(width, len(c.Target))
	}
	fmt.Fprintf(p.stdout, "wrote %s with %s\n", output, counted(len(added), "component"))
	for _, c := range added {
		fmt.Fprintf(p.stdout, "  %-*s  %s, from %s\n", width, c.Target, c.Kind, c.Package)
	}
	return nil
}
