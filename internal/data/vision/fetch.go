package vision

import (
	"crypto/md5" //nolint:gosec // torchvision's checksums
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/lighter-go/lighter"
)

// remote is a file that a data set's site ships.
type remote struct {
	name string
	md5  string
	urls []string // tried in order
}

// sum is a file's MD5 checksum.
func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// verify says what is wrong with a file that must have a checksum; "" takes any.
func verify(path, want string) error {
	if want == "" {
		_, err := os.Stat(path)
		return err
	}
	got, err := sum(path)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: Dataset not found or corrupted: its MD5 checksum is %s, it must be %s. Delete it and use download: true, or put a sound copy there", path, got, want)
	}
	return nil
}

// fetch downloads a file into a folder unless a sound one is there. A download that was cut off goes on where it ended.
func fetch(r remote, dir string, env *lighter.Env) error {
	path := filepath.Join(dir, r.name)
	if verify(path, r.md5) == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var errs []error
	for _, url := range r.urls {
		err := download(url, path, r.md5, env)
		if err == nil {
			return nil
		}
		errs = append(errs, says("Error downloading %s: tried %s: %w", r.name, url, err))
	}
	return errors.Join(errs...)
}

// stalled is how long a server may send nothing.
const stalled = 60 * time.Second

func download(url, path, checksum string, env *lighter.Env) error {
	part := path + ".part"
	out, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return err
	}
	defer out.Close()
	st, err := out.Stat()
	if err != nil {
		return err
	}
	have := st.Size()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: stalled}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK:
		have = 0
		if err := out.Truncate(0); err != nil {
			return err
		}
	case http.StatusRequestedRangeNotSatisfiable: // all of it is there already, or something else
		resp.ContentLength = 0
	default:
		return fmt.Errorf("the server says %s", resp.Status)
	}
	if resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		if err := receive(out, resp.Body, have, resp.ContentLength, filepath.Base(path), env); err != nil {
			return fmt.Errorf("%w; what has come is kept in %s and the download goes on from there", err, part)
		}
	}
	if err := out.Sync(); err != nil {
		return err
	}
	if err := verify(part, checksum); err != nil {
		os.Remove(part)
		got := err
		return says("File not found or corrupted: %w", got)
	}
	return os.Rename(part, path)
}

// receive copies a body to a file and shows how far it is.
func receive(out io.Writer, body io.Reader, have, length int64, name string, env *lighter.Env) error {
	total := int64(0)
	if length > 0 {
		total = have + length
	}
	if env == nil || env.Console == nil || !env.Console.IsTerminal() {
		if env != nil {
			env.Log.Info().Int64("bytes", total).Msgf("downloading %s", name)
		}
		n, err := io.Copy(out, body)
		return complete(n, length, err)
	}
	bars := mpb.New(mpb.WithOutput(env.Console.Out()), mpb.WithAutoRefresh(), mpb.WithRefreshRate(200*time.Millisecond))
	bar := bars.AddBar(total, mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), decor.Name(" "), decor.AverageSpeed(decor.SizeB1024(0), "% .1f")))
	bar.IncrInt64(have)
	var n int64
	shown, err := bar.ProxyReader(body)
	if err == nil {
		n, err = io.Copy(out, shown)
	}
	if err = complete(n, length, err); err != nil {
		bar.Abort(false)
	} else {
		bar.SetTotal(-1, true)
	}
	bars.Wait()
	return err
}

func complete(n, length int64, err error) error {
	if err == nil && length > 0 && n != length {
		return io.ErrUnexpectedEOF
	}
	return err
}

// missing says what to put where.
func missing(what, dir string, names []string, err error) error {
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return says("Dataset not found. You can use download: true to download it, or put the files of %s there by hand: %s must hold %v", what, dir, names)
}
