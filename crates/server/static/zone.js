// Tells the server the browser's time zone, once, in a cookie. Where the page could not know it, it is loaded again.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = document.cookie.split("; ").find((pair) => pair.startsWith("tz="));

if (zone && known !== `tz=${zone}`) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  const kept = document.cookie.includes(`tz=${zone}`);
  const isShown = document.querySelector("time") && !new URLSearchParams(location.search).has("tz");
  if (kept && isShown) location.reload();
}
