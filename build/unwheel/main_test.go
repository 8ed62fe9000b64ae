package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDestination(t *testing.T) {
	for _, test := range []struct{ name, cpu, cuda string }{
		{"torch/include/ATen/ATen.h", "include/ATen/ATen.h", "include/ATen/ATen.h"},
		{"torch/lib/libtorch_cpu.so", "lib/libtorch_cpu.so", "lib/libtorch_cpu.so"},
		{"torch/lib/libgomp.so.1", "lib/libgomp.so.1", "lib/libgomp.so.1"},
		{"torch/lib/libgomp-a34b3233.so.1", "lib/libgomp-a34b3233.so.1", "lib/libgomp-a34b3233.so.1"},
		{"nvidia/cu13/lib/libcudart.so.13", "lib/libcudart.so.13", "lib/libcudart.so.13"},
		{"nvidia/cuda_cupti/lib/libcupti.so.12", "lib/libcupti.so.12", "lib/libcupti.so.12"},
		{"torch/lib/libtorch_cuda.so", "", "lib/libtorch_cuda.so"},
		{"nvidia/cudnn/lib/libcudnn.so.9", "", "lib/libcudnn.so.9"},
		{"nvidia/cu13/include/crt/host_config.h", "", "cuda/include/crt/host_config.h"},
		{"torch/lib/libtorch_python.so", "", ""},
		{"torch/lib/libshm.so", "", ""},
		{"pillow.libs/libjpeg-6dc8d115.so.62.4.0", "lib/libjpeg-6dc8d115.so.62.4.0", "lib/libjpeg-6dc8d115.so.62.4.0"},
		{"pillow.libs/libpng16-1d1ba958.so.16.58.0", "", ""},
		{"torch/_C.cpython-312-x86_64-linux-gnu.so", "", ""},
		{"torch/nn/modules/linear.py", "", ""},
		{"torch-2.11.0.dist-info/licenses/NOTICE", "licenses/torch-2.11.0/NOTICE", "licenses/torch-2.11.0/NOTICE"},
		{"nvidia_nccl-2.dist-info/License.txt", "licenses/nvidia_nccl-2/License.txt", "licenses/nvidia_nccl-2/License.txt"},
		{"torch-2.11.0.dist-info/METADATA", "", ""},
	} {
		if got := destination(test.name, false); got != test.cpu {
			t.Errorf("%s goes to %q for the CPU, want %q", test.name, got, test.cpu)
		}
		if got := destination(test.name, true); got != test.cuda {
			t.Errorf("%s goes to %q for CUDA, want %q", test.name, got, test.cuda)
		}
	}
}

func TestWheelThatLeavesTheFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	wheel := filepath.Join(dir, "evil.whl")
	file, err := os.Create(wheel)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	if _, err := archive.Create("torch/include/../../evil.h"); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	err = run(filepath.Join(dir, "out"), false, []string{wheel})
	if err == nil || !strings.Contains(err.Error(), "evil.h") {
		t.Errorf("got error %v, want one that names evil.h", err)
	}
}
