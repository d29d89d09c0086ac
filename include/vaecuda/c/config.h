/* Configuration of a training run. The rules for all of the C interface are in vaecuda/vaecuda.h. */
#ifndef VAECUDA_C_CONFIG_H
#define VAECUDA_C_CONFIG_H

#include <stddef.h>

#include "vaecuda/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(modernize-use-using): this is C. */

typedef struct vaecuda_config vaecuda_config;

/* All defaults. */
VAECUDA_API int vaecuda_config_create(vaecuda_config** result);
/* Sets one option, named as in a configuration file ("model.latent_dim") or as on the command line
 * ("--latent-dim"); `vae_cuda_train --help` lists them. */
VAECUDA_API int vaecuda_config_set(vaecuda_config* config, const char* option, const char* value);
/* Takes a recipe by its name over what the configuration holds; a name that is none is refused with the list.
 */
VAECUDA_API int vaecuda_config_preset(vaecuda_config* config, const char* name);
/* Reads a TOML file, or TOML text, over what the configuration holds. */
VAECUDA_API int vaecuda_config_load(vaecuda_config* config, const char* path);
VAECUDA_API int vaecuda_config_parse(vaecuda_config* config, const char* toml);
/* Replaces all that the configuration holds by what the run in a folder was trained with, to go on with it by
 * vaecuda_train_resume. */
VAECUDA_API int vaecuda_config_load_run(vaecuda_config* config, const char* run_dir);
/* The value of an option as text, "" where it is unset; and the whole configuration as TOML. `length`, which
 * may be NULL, becomes the length without the final zero, also if the text does not fit; with a `size` of 0
 * `text` may be NULL, and the call only asks for the length. */
VAECUDA_API int vaecuda_config_get(const vaecuda_config* config, const char* option, char* text, size_t size,
                                   size_t* length);
VAECUDA_API int vaecuda_config_toml(const vaecuda_config* config, char* text, size_t size, size_t* length);
VAECUDA_API void vaecuda_config_free(vaecuda_config* config);

/* NOLINTEND(modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif
