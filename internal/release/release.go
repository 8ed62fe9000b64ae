// Package release says which version of lighter a program is.
package release

import "runtime/debug"

// version is the release, set by the linker: -X github.com/lighter-go/lighter/internal/release.version=1.2.3.
var version string

const (
	modulePath = "github.com/lighter-go/lighter"
	gotchPath  = "github.com/sugarme/gotch"
)

// Versions are lighter's and gotch's.
func Versions() (own, gotch string) { return versions(debug.ReadBuildInfo()) }

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
