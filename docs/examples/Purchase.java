import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A shop and a purchase in it. Without a library for JSON: what it needs of each body is found by patterns. */
public class Purchase {
    static final String KLARNA = System.getenv().getOrDefault("KLARNA_URL", "http://127.0.0.1:8080");
    static final String KEY = "Basic " + Base64.getEncoder().encodeToString("K123:secret".getBytes());

    static String post(String path, String body) throws IOException {
        var request = HttpRequest.newBuilder(URI.create(KLARNA + path)).header("Authorization", KEY)
            .header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)).build();
        try {
            return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
        } catch (InterruptedException stopped) {
            throw new IOException(stopped);
        }
    }

    static String find(String pattern, String body) {
        var found = Pattern.compile(pattern, Pattern.DOTALL).matcher(body);
        if (!found.find()) throw new IllegalStateException(body);
        return found.group(1);
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        var answered = new CountDownLatch(1);
        var shop = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        shop.createContext("/klarna/place-order", exchange -> {
            var callback = new String(exchange.getRequestBody().readAllBytes());
            var token = find("\"authorization_token\":\\s*\"([^\"]+)\"", callback);
            var order = find("\"order\":\\s*(\\{.*\\})\\s*\\}", callback);
            post("/instantshopping/v1/authorizations/" + token + "/orders", order);
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
            answered.countDown();
        });
        shop.start();
        var url = "http://127.0.0.1:" + shop.getAddress().getPort();
        post("/instantshopping/v1/buttons", """
            {"merchant_urls": {"place_order": "%s/klarna/place-order", "terms": "%s/terms"}}""".formatted(url, url));
        var purchase = post("/_mock/purchases", """
            {"cart": "se-battery-pack", "shopper": "se-approved", "wait": 60}""");
        answered.await(60, TimeUnit.SECONDS);
        shop.stop(0);
        System.out.println(find("\"state\":\\s*\"([^\"]+)\"", purchase));
    }
}
