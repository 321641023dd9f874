/* Sealite: an embedded crypto storage engine. One SQLite file keeps an application's keys and personal data sealed.
 *
 * Conventions, of every function unless its own words say otherwise (docs/c-api.md has more):
 *
 * - It returns SEALITE_OK or why not. `error`, always the last parameter, may be NULL; else it gets NULL or, after a
 *   failure, an error object for the caller to free. What it held before is not freed.
 * - Handles (pointers to the types without a definition here) are checked: NULL, a handle that was freed, one of another
 *   kind and any other pointer are a status, never a crash. What a function makes, the caller frees with the function of
 *   that name; freeing twice does nothing. A handle may be freed in any order: what was made from it goes on.
 * - Texts are UTF-8, as a pointer and a length in bytes; SEALITE_NTS in the place of the length takes all up to the first
 *   NUL. NULL with length 0 or SEALITE_NTS is no text, where that may be. Arguments are copied or used up before the call
 *   returns: the library keeps no pointer of the caller's.
 * - Out-parameters are set to 0, false or NULL first. One that "may be NULL" can be left out.
 * - What arguments point to does not overlap the place of an out-parameter, nor do two such places overlap; no other
 *   thread writes to any of it during the call.
 * - Enumerations, and flags as 0 or 1, go in as int32_t and are checked, as are lengths beyond half the address space.
 * - Any function may be called from any thread, at the same time as others, unless its type says otherwise.
 */

/** The version of this header. */
#define SEALITE_VERSION "@VERSION@"
#define SEALITE_VERSION_MAJOR @MAJOR@
#define SEALITE_VERSION_MINOR @MINOR@
#define SEALITE_VERSION_PATCH @PATCH@
/** major * 1,000,000 + minor * 1,000 + patch; see sealite_version_number(). */
#define SEALITE_VERSION_NUMBER @NUMBER@

/** In the place of a length: the text ends with its first NUL. */
#define SEALITE_NTS SIZE_MAX
