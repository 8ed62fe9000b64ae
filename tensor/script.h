// The C face of script.cc: TorchScript modules.
#ifndef LIGHTER_TENSOR_SCRIPT_H
#define LIGHTER_TENSOR_SCRIPT_H
#include "lighter.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *lt_script;

// lt_script_load checks the file's code and loads it. lt_script_free frees all but the tensors' handles.
int lt_script_load(const char *path, int device, int index, lt_script *out);
void lt_script_free(lt_script s);

// lt_script_describe gives the modules and their tensors in the results' buffer of lt_call (script.go describes it).
int lt_script_describe(lt_script s, const char **out, size_t *len);

// lt_script_call runs a method of the module of a number; the call is written as lt_call's.
int lt_script_call(lt_script s, int module, const char *buf, size_t len, const char **out, size_t *out_len);
int lt_script_train(lt_script s, int module, int on);
int lt_script_save(lt_script s, const char *path);

#ifdef __cplusplus
}
#endif
#endif
