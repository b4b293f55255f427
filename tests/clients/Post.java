// Posts a file to an address three times, with the client's defaults; prints the statuses.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;

public class Post {
  public static void main(String[] given) throws Exception {
    var client = HttpClient.newHttpClient();
    for (int n = 0; n < 3; n++) {
      var request = HttpRequest.newBuilder(URI.create(given[1]))
          .POST(HttpRequest.BodyPublishers.ofFile(Path.of(given[0]))).build();
      System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
    }
  }
}
