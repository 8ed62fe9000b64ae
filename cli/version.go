package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/lighter-go/lighter/internal/release"
	"github.com/lighter-go/lighter/tensor"
)

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the versions of lighter, gotch and libtorch", GroupID: otherGroup, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

func (p *program) printVersion() error {
	own, gotch := release.Versions()
	m := readMachine(p.root)
	_, err := fmt.Fprintf(p.stdout, "lighter  %s (%s %s/%s)\ngotch    %s\nlibtorch %s\nCUDA     %s\nthreads  %d\n",
		own, runtime.Version(), runtime.GOOS, runtime.GOARCH, gotch, tensor.Version(), m.cudaSummary(), tensor.Threads())
	return err
}
