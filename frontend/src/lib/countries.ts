/** ISO 3166-1 alpha-2 codes of countries, whose public holidays may shape a tracker's days. */
const CODES =
  "ADAEAFAGAIALAMAOARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBRBSBTBWBYBZCACDCFCGCHCICLCMCNCOCRCUCVCWCYCZDEDJDKDMDODZECEEEGERESETFIFJFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGUGWGYHKHNHRHTHUIDIEILIMINIQIRISITJEJMJOJPKEKGKHKIKMKNKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPRPSPTPWPYQARERORSRURWSASBSCSDSESGSISKSLSMSNSOSRSSSTSVSXSYSZTCTDTGTHTJTLTMTNTOTRTTTVTWTZUAUGUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";

const names = new Intl.DisplayNames("en", { type: "region", fallback: "code" });

/** Code and name of every country, by name. */
export const COUNTRIES: readonly [code: string, name: string][] = (CODES.match(/../g) ?? [])
  .map((code): [string, string] => [code, names.of(code) ?? code])
  .sort((a, b) => a[1].localeCompare(b[1]));

export function countryName(code: string): string {
  return names.of(code) ?? code;
}
