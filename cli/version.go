package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/tensor"
)

// version is the release, set by the linker: -X github.com/lighter-go/lighter/cli.version=1.2.3.
var version string

const (
	modulePath = "github.com/lighter-go/lighter"
	gotchPath  = "github.com/sugarme/gotch"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the versions of lighter, gotch and libtorch", GroupID: otherGroup, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

func (p *program) printVersion() error {
	own, gotch := versions(debug.ReadBuildInfo())
	m := readMachine(p.root)
	_, err := fmt.Fprintf(p.stdout, "lighter  %s (%s %s/%s)\ngotch    %s\nlibtorch %s\nCUDA     %s\nthreads  %d\n",
		own, runtime.Version(), runtime.GOOS, runtime.GOARCH, gotch, tensor.Version(), m.cudaSummary(), tensor.Threads())
	return err
}

// versions reads lighter's and gotch's versions from what the linker noted.
func versions(info *debug.BuildInfo, ok bool) (own, gotch string) {
	own, gotch = version, "unknown"
	if !ok {
		return own, gotch
	}
	for _, m := range append(info.Deps, &info.Main) {
		switch {
		case m.Path == gotchPath:
			gotch = m.Version
		case m.Path == modulePath && own == "":
			own = m.Version
		}
	}
	if own == "" || own == "(devel)" {
		own = "devel"
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if rev := settings["vcs.revision"]; len(rev) >= 12 {
			own += " " + rev[:12]
		}
	}
	return own, gotch
}
